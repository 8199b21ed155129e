import type { DeadletterLine } from '../../schema/outputs/deadletter.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { printable } from '../terminal.ts';
import { keptLine, queuedLine } from './letter.ts';
import { keptLetters, openLetters, queuedLetters } from './open-letters.ts';

export interface ListOptions {
  /** Only those that are dead letters for this reason. */
  readonly reason?: string | undefined;
  readonly limit?: number | undefined;
}

/** `isthmus deadletter list`: read and printed one after the other, however many there are. */
export async function listLetters({ reason, limit }: ListOptions, call: Call): Promise<ExitCode> {
  await using open = await openLetters(call);
  let printed = 0;
  async function* lines(): AsyncGenerator<DeadletterLine> {
    for await (const letter of keptLetters(open, reason, call.signal)) yield keptLine(letter);
    for await (const letter of queuedLetters(open, reason, call.signal)) yield queuedLine(letter);
  }
  for await (const line of lines()) {
    if (printed === limit) {
      call.terminal.say(`The first ${limit}; --limit shows more.`);
      return EXIT.good;
    }
    printed += 1;
    if (call.json) call.terminal.print(JSON.stringify(line));
    else for (const text of formatLine(line)) call.terminal.print(text);
  }
  if (printed === 0 && !call.json) call.terminal.print(nothing(reason));
  return EXIT.good;
}

function nothing(reason: string | undefined): string {
  return reason === undefined
    ? 'There are no dead letters.'
    : `There is no dead letter for the reason ${printable(reason)}.`;
}

/** What it is about, and why it is there. */
export function formatLine(line: DeadletterLine): readonly string[] {
  const { id, origin, at, deliveryCount, eventType, subject, events, reason, description } = line;
  const times = deliveryCount === null ? '' : `  delivered ${deliveryCount} ${deliveryCount === 1 ? 'time' : 'times'}`;
  const more = events !== null && events > 1 ? ` (the first of ${events} events)` : '';
  const about =
    eventType === null && subject === null
      ? 'no event can be read of it'
      : `${eventType ?? 'an event'} ${subject ?? ''}${more}`;
  return [
    `${id.padEnd(8)}  ${origin.padEnd(11)}  ${at}${times}`,
    `          ${printable(about)}`,
    `          ${printable(`${reason}: ${description}`)}`,
  ];
}
