import { shellWord } from '../../infra/local/env-file.ts';
import { formatKey } from '../../namespace/key.ts';
import { parseBlobSubject } from '../../schema/events/blob-subject.ts';
import type { DeadletterShow } from '../../schema/outputs/deadletter.ts';
import { printable } from '../terminal.ts';

/** Refusals of names that a reconcile would not take either: another account's, and those that the index cannot hold. */
const NOT_TO_RECONCILE: ReadonlySet<string> = new Set(['unknown-account', 'unstorable-name']);

/** The next step where a replay would leave the letter where it is; undefined where it would not, or says itself what mends that. */
export function whatToDo({ id, subject, events, replay: { refused } }: DeadletterShow): string | undefined {
  if (refused === null || refused.reason === 'distrusted') return undefined;
  const discard = `\`isthmus deadletter discard ${id} --reason "..."\` removes the letter.`;
  const key = parseBlobSubject(subject ?? '');
  if (key === undefined || NOT_TO_RECONCILE.has(refused.reason)) return discard;
  const name = formatKey(key);
  // Of several events the first may not be the one that is refused; what is not printed as it is cannot be typed.
  const prefix = events === 1 && printable(name) === name ? ` --prefix ${shellWord(name)}` : '';
  return `\`isthmus reconcile${prefix}\` takes what the account has of it, whatever the letter says; then ${discard}`;
}
