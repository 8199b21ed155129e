import { type Command, InvalidArgumentError } from 'commander';
import { type AddCommand, examplesText } from '../add-command.ts';
import type { CommonOptions } from '../run.ts';
import type { Which } from './settle-letters.ts';

interface Choosing {
  readonly all?: boolean;
  readonly deadLetterReason?: string;
}

/** As Service Bus calls it (`DeadLetterReason`): `--reason` is an operator's own words, everywhere. */
const ONLY = '--dead-letter-reason <code>';

/** `isthmus deadletter …`: messages that could not be applied, wherever they are. */
export function addDeadletterCommands(program: Command, { add, asJson, run }: AddCommand): void {
  const deadletter = program
    .command('deadletter')
    .description('see, replay and discard messages that could not be applied')
    .addHelpText(
      'after',
      examplesText([
        'deadletter list',
        'deadletter show sb-17',
        'deadletter replay --all --dead-letter-reason bad-event',
      ]),
    );

  asJson(
    add(deadletter, 'list', "list dead letters: of the Service Bus queue, of Event Hubs, and Event Grid's own", [
      'deadletter list',
      'deadletter list --dead-letter-reason MaxDeliveryCountExceeded',
      'deadletter list --json --limit 100',
    ]),
  )
    .option(ONLY, 'only those that are dead letters for this reason')
    .option('--limit <letters>', 'how many at most', positive)
    .action(async (options: CommonOptions & { deadLetterReason?: string; limit?: number }) => {
      const { deadLetterReason: reason, limit } = options;
      await run(options, async (call) => (await import('./list.ts')).listLetters({ reason, limit }, call));
    });

  asJson(
    add(deadletter, 'show', 'show one, with its body and what would come of it if it were replayed now', [
      'deadletter show sb-17',
      'deadletter show eg-5 --json',
    ]),
  )
    .argument('<id>', 'as `deadletter list` prints it')
    .action(async (id: string, options: CommonOptions) => {
      await run(options, async (call) => (await import('./show.ts')).showLetter(id, call));
    });

  asJson(
    add(deadletter, 'replay', 'apply them by the path of every trigger; exit 1 where one stays', [
      'deadletter replay sb-17 eg-5',
      'deadletter replay --all',
      'deadletter replay --all --dead-letter-reason bad-event',
    ]),
  )
    .argument('[ids...]', 'as `deadletter list` prints them')
    .option('--all', 'all of them')
    .option(ONLY, 'with --all: only those that are dead letters for this reason')
    .action(async (ids: string[], options: CommonOptions & Choosing) => {
      await run(options, async (call) =>
        (await import('./settle-letters.ts')).replayLetters(chosen(ids, options), call),
      );
    });

  asJson(
    add(deadletter, 'discard', 'take them away for good; exit 1 where one stays', [
      'deadletter discard sb-17 --reason "sent by a test"',
      'deadletter discard --all --dead-letter-reason not-json --reason "sent by a test"',
    ]),
  )
    .argument('[ids...]', 'as `deadletter list` prints them')
    .option('--all', 'all of them')
    .option(ONLY, 'with --all: only those that are dead letters for this reason')
    .requiredOption('--reason <text>', 'why: it is kept in the journal')
    .action(async (ids: string[], options: CommonOptions & Choosing & { reason: string }) => {
      await run(options, async (call) =>
        (await import('./settle-letters.ts')).discardLetters(chosen(ids, options), options.reason, call),
      );
    });
}

function chosen(ids: readonly string[], { all, deadLetterReason }: Choosing): Which {
  // Its process took a while to come to this.
  return { ids, all: all === true, reason: deadLetterReason, began: performance.timeOrigin };
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return value;
}
