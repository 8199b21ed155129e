import type { FeedSpot, ReplayFeedInput } from './activities.ts';
import {
  type Checked,
  checkFields,
  type Field,
  inJson,
  internal,
  numberAbove0,
  optional,
  text,
  time,
  type Words,
  withExample,
} from './check.ts';
import type { Carried, LoopInput } from './control.ts';

/** What a replay starts with: a range of time, a prefix, both, or the whole feed. */
export interface ReplayJob extends Pick<ReplayFeedInput, 'from' | 'to' | 'prefix' | 'recordsPerSecond'> {
  readonly federation: string;
  readonly carried?: (Carried & { readonly cursor?: FeedSpot | undefined }) | undefined;
}

/** A replay's result. Where nothing was missing, nothing is applied. */
export interface ReplaySummary {
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  readonly ignored: number;
  readonly looks: number;
}

const federation = text("the federation's name, as in its file");
const DEFAULT_TURN_SECONDS = 10;
const DEFAULT_IDLE_SECONDS = 1;

/** A feed tail that is started by hand needs the federation's name alone. */
export function checkTail(input: unknown): Checked<LoopInput> {
  const problem = checkFields(inJson('feedTail', { federation: 'lake' }), input, {
    federation,
    turnSeconds: optional(numberAbove0('how long a turn takes, in seconds above 0')),
    idleSeconds: optional(numberAbove0('how long to rest where there is no feed, in seconds above 0')),
    carried: internal,
  });
  if (problem !== undefined) return { problem };
  const defaults = { turnSeconds: DEFAULT_TURN_SECONDS, idleSeconds: DEFAULT_IDLE_SECONDS };
  return { value: { ...defaults, ...(input as Pick<LoopInput, 'federation'> & Partial<LoopInput>) } };
}

const IN_JSON = inJson('replay', {
  federation: 'lake',
  from: '2026-11-21T13:00:00Z',
  to: '2026-11-21T14:00:00Z',
  prefix: 'lake/raw/',
});

/**
 * @param when which times are taken: of days that there are.
 * @param words in which a problem is told.
 */
export function checkReplay(input: unknown, when: Field = time, words: Words = IN_JSON): Checked<ReplayJob> {
  const problem = checkFields(words, input, {
    federation,
    from: optional(when),
    to: optional(when),
    prefix: optional(text('a plain prefix of CONTAINER/NAME')),
    recordsPerSecond: optional(numberAbove0('how many records a second at most, a number above 0')),
    carried: internal,
  });
  if (problem !== undefined) return { problem };
  const job = input as ReplayJob;
  const empty = emptyRange(words, job);
  return empty === undefined ? { value: job } : { problem: withExample(empty, words) };
}

/** What is wrong with a range of time that no record can be of, in a sentence; undefined where it is one. */
export function emptyRange(
  { what, name }: Pick<Words, 'what' | 'name'>,
  { from, to }: Pick<ReplayJob, 'from' | 'to'>,
): string | undefined {
  if (from === undefined || to === undefined || Date.parse(from) < Date.parse(to)) return undefined;
  return `${what}: ${name('from')} is "${from}", which is not before ${name('to')}, "${to}".`;
}
