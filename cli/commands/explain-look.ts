import type { LookReason } from '../../namespace/decision.ts';

const WHY: Readonly<Record<LookReason, string>> = {
  unvalued: 'what was told of it does not say what the blob is now',
  'clock-disagrees': "an event's sequencer and time disagree on what came first",
  'same-clock-other-etag': 'two versions were told with one sequencer',
  'look-due': 'more was told of it while a look was due',
  'before-horizon': 'an event came so late that it may have been undone since',
  'near-look': 'an event is too close to an earlier look to tell which came first',
  'near-container-gone': 'it is too close to when its container was gone to tell which came first',
  'directory-gone': 'a directory above it was deleted or renamed',
  'listed-differs': 'a listing or a report has it otherwise',
  'not-listed': 'a listing or a report does not have it',
  'stub-stray': 'a sink has a file of it, and the index does not',
  'no-clock': 'what was told of it has no sequencer to order it by',
};

/** Why a blob is or was looked at: the reason as it is kept, and what it means. A request's id stays as it is. */
export function explainLook(reason: string): string {
  return Object.hasOwn(WHY, reason) ? `${reason} (${WHY[reason as LookReason]})` : reason;
}
