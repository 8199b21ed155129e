import type { Timestamp } from '../../namespace/entry.ts';
import type { FeedPlace, FeedSpot, RewindInput, SkipInput } from './activities.ts';
import {
  type Checked,
  checkFields,
  inJson,
  isObject,
  numberAbove0,
  optional,
  text,
  time,
  type Words,
  wholeNumber,
  withExample,
} from './check.ts';
import type { Progress } from './control.ts';

/** Names of the updates that the feed tail has beside those of every workflow. */
export const REWIND = 'rewind';
export const SKIP = 'skip';

/** What the update `rewind` takes: one of `to`, `secondsAgo` and `cursor`, and why. */
export interface RewindRequest {
  readonly to?: string | undefined;
  readonly secondsAgo?: number | undefined;
  readonly cursor?: FeedSpot | undefined;
  readonly reason: string;
}

/** What the update `skip` takes: the bad block, as the tail's alarm names it, and why. */
export type SkipRequest = SkipInput;

/** What the update `rewind` answers. */
export interface RewindAnswer {
  /** The segment that is read from. */
  readonly segment: string;
  readonly progress: Progress;
}

/** What the update `skip` answers: the bytes of the chunk that are left out. */
export interface SkipAnswer {
  readonly from: number;
  readonly to: number;
  readonly progress: Progress;
}

/** Where a workflow that reads the feed stands. */
export interface FeedStanding {
  readonly segment?: string | undefined;
  readonly shards: readonly FeedPlace[];
  /** Of the last turn. */
  readonly recordsPerSecond: number;
  /** From the newest moment that the feed has something of to the newest that is applied. */
  readonly lagSeconds?: number | undefined;
  readonly appliedTo?: Timestamp | undefined;
  /** Nobody has said what is to become of it yet. */
  readonly corrupt?: { readonly chunk: string; readonly offset: number } | undefined;
  readonly rewound?: Rewound | undefined;
}

/** The newest rewind, and what was read again since: where nothing was missing, nothing of it is applied. */
export interface Rewound {
  readonly at: Timestamp;
  readonly segment: string;
  readonly reason: string;
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  /** Whether the feed's end was reached since; from then on nothing is added. */
  readonly over: boolean;
}

const reason = text('why, in words: it is kept and shown');
const REWIND_IN_JSON: RewindWords = {
  ...inJson(REWIND, { secondsAgo: 3600, reason: 'a rule was wrong since noon' }),
  targets: '{"to": TIME}, {"secondsAgo": NUMBER} and {"cursor": {"segment": ...}}',
};
const SKIP_IN_JSON = inJson(SKIP, {
  chunk: 'log/00/2026/11/21/1400/00000.avro',
  offset: 4096,
  reason: 'the block is damaged; a reconcile follows',
});
const TARGETS = ['to', 'secondsAgo', 'cursor'] as const;

export interface RewindWords extends Words {
  /** Those of which one is needed. */
  readonly targets: string;
}

/**
 * @param now what `to` must not lie after.
 * @param words in which a problem is told.
 */
export function checkRewind(input: unknown, now: Timestamp, words: RewindWords = REWIND_IN_JSON): Checked<RewindInput> {
  const problem = checkFields(words, input, {
    to: optional(time),
    secondsAgo: optional(numberAbove0('a number of seconds above 0')),
    cursor: optional({
      expected: '{"segment": "idx/segments/.../meta.json"}, with "shards" where they are known',
      holds: isSpot,
    }),
    reason,
  });
  if (problem !== undefined) return { problem };
  const request = input as RewindRequest;
  const wrong = targetProblem(request, now, words);
  return wrong === undefined ? { value: rewindOf(request) } : { problem: withExample(wrong, words) };
}

function targetProblem(
  request: RewindRequest,
  now: Timestamp,
  { what, name, targets }: RewindWords,
): string | undefined {
  const given = TARGETS.filter((target) => request[target] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none' : given.join(' and ');
    return `${what} needs one of ${targets}, but was given ${found}.`;
  }
  const { to, secondsAgo } = request;
  if (to !== undefined && Date.parse(to) > now) {
    return `${what}: ${name('to')} is "${to}", which is yet to come: it is ${new Date(now).toISOString()}.`;
  }
  if (secondsAgo !== undefined && Number.isNaN(new Date(now - secondsAgo * 1000).getTime())) {
    return `${what}: ${name('secondsAgo')} goes back further than time is counted.`;
  }
  return undefined;
}

/** What is asked for by what has been checked. */
export function rewindOf({ to, secondsAgo, cursor, reason: why }: RewindRequest): RewindInput {
  return { to, seconds: secondsAgo, cursor, reason: why.trim() };
}

/** @param words in which a problem is told. */
export function checkSkip(input: unknown, words: Words = SKIP_IN_JSON): Checked<SkipInput> {
  const problem = checkFields(words, input, {
    chunk: text("the chunk's path inside $blobchangefeed, as the alarm names it"),
    offset: wholeNumber("the block's first byte in the chunk, a whole number from 0"),
    reason,
  });
  if (problem !== undefined) return { problem };
  return { value: skipOf(input as SkipRequest) };
}

/** What is asked for by what has been checked. */
export function skipOf(request: SkipRequest): SkipInput {
  return { ...request, reason: request.reason.trim() };
}

function isSpot(value: unknown): boolean {
  if (!isObject(value) || typeof value.segment !== 'string' || value.segment === '') return false;
  if (Object.keys(value).some((name) => name !== 'segment' && name !== 'shards')) return false;
  return value.shards === undefined || (isObject(value.shards) && Object.values(value.shards).every(isPosition));
}

function isPosition(value: unknown): boolean {
  if (!isObject(value) || typeof value.chunk !== 'string') return false;
  return [value.offset, value.index].every((number) => Number.isSafeInteger(number) && Number(number) >= 0);
}
