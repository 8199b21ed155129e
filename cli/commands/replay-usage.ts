import type { Timestamp } from '../../namespace/entry.ts';
import { time } from '../../schema/inputs/check.ts';
import { checkReplay, type ReplayJob } from '../../schema/inputs/feed-jobs.ts';
import { typed } from '../feed/typed.ts';
import { formatTime } from '../format.ts';

const WORDS = typed('replay', '--from 1h --prefix lake/raw/', { recordsPerSecond: '--rate' });
const FIELDS = ['from', 'to', 'prefix', 'recordsPerSecond'] as const;

/**
 * What is wrong with what was typed, in a sentence; undefined where nothing is. The rules are the workflow's own, and
 * one that it cannot have, as it has no clock: a replay begins with what is past.
 */
export function wrongJob(job: ReplayJob, now: Timestamp): string | undefined {
  const checked = checkReplay(job, time, WORDS);
  if ('problem' in checked) return checked.problem;
  const { from } = job;
  if (from === undefined || Date.parse(from) <= now) return undefined;
  return `isthmus replay: --from is "${from}", which is yet to come: it is ${formatTime(now)}.`;
}

/**
 * The command that asks for the same, whenever it is typed: a time that was given as so long ago is another by then.
 *
 * @param config the federation's file, where one was named.
 */
export function commandFor(job: ReplayJob, config: string | undefined): string {
  const options = FIELDS.flatMap((field) => (job[field] === undefined ? [] : [WORDS.name(field), String(job[field])]));
  const words = [...(config === undefined ? [] : ['--config', config]), ...options];
  return [WORDS.what, ...words.map(quoted)].join(' ');
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
