import type { Command } from 'commander';
import type { AddCommand } from '../add-command.ts';
import type { CommonOptions } from '../run.ts';

const REBUILD = `
It prepares the index, has the Change Feed read from now on, asks for a listing of everything, and returns when that is
applied, the feed has caught up and every stub is settled. Reads go on meanwhile, and files that are hydrated stay as they
are: they say themselves what they are of. It works with the workers running or not; nothing is listed before one runs.
Ctrl-C leaves the rebuild to the workers.

Where the index is a new one, Temporal still knows the lost one, and workers do not start with another: --take-over gives
them the new one. Where it has entries, --discard forgets them, and what was found of them; rules, the journal, dead
letters and what was refused stay.
Exit codes: 0 rebuilt, 1 the index is not empty, or the listing could not be applied.`;

/** `isthmus rebuild`. */
export function addRebuildCommand(program: Command, { add, asJson, run }: AddCommand): void {
  asJson(
    add(program, 'rebuild', 'fill an index that was lost again, from a listing and the feed, while reading goes on', [
      'rebuild',
      'rebuild --take-over',
      'rebuild --discard --json',
    ]),
  )
    .option('--discard', 'forget the entries that the index has, first')
    .option('--take-over', 'the index takes the place of the one that the workflows of the account knew')
    .addHelpText('after', REBUILD)
    .action(async (options: CommonOptions & { discard?: boolean; takeOver?: boolean }) => {
      const { discard = false, takeOver = false } = options;
      await run(options, async (call) => (await import('./rebuild.ts')).rebuild({ discard, takeOver }, call));
    });
}
