import type { Command } from 'commander';
import { type AddCommand, examplesText } from './add-command.ts';
import type { CommonOptions } from './run.ts';

/** `isthmus triggers …`: what an operator decides about an account's triggers. */
export function addTriggersCommands(program: Command, { add, asJson, run }: AddCommand): void {
  const example = 'triggers trust --reason "the storage team says it is mended"';
  const triggers = program
    .command('triggers')
    .description("decide about the account's triggers")
    .addHelpText('after', examplesText([example]));

  asJson(
    add(
      triggers,
      'trust',
      'apply triggers again after they contradicted the feed; exit 1 where the feed is still to be read again',
      [example],
    ),
  )
    .requiredOption('--reason <text>', 'why: it is kept and shown')
    .action(async (options: CommonOptions & { reason: string }) => {
      await run(options, async (call) => (await import('./commands/triggers-trust.ts')).triggersTrust(options, call));
    });
}
