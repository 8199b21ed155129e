import type { Command } from 'commander';
import type { AddCommand } from '../add-command.ts';
import type { CommonOptions } from '../run.ts';

const MENDS = `
Stubs that are missing or wrong are written anew, and stubs of names that are not live are removed; what Isthmus did not
make is named and left alone. Where more is missing or stray than reconcile.stop of the federation file allows, nothing
is mended, and it exits 1: look at the view first. Mount it, where it is not there.`;

/** `isthmus reconcile sink`: compares the index with what is really in a view. */
export function addReconcileSinkCommand(reconcile: Command, { add, asJson, run }: AddCommand): void {
  asJson(
    add(reconcile, 'sink', 'compare the index with what is really in a sink, and mend its stubs', [
      'reconcile sink',
      'reconcile sink gpu --json',
      'reconcile sink gpu --approve',
      'reconcile sink gpu --new-view',
    ]),
  )
    .argument('[sink]', 'as the federation file names it (default: every sink)')
    .option('--approve', 'mend also where more is missing or stray than the percent stop allows')
    .option('--new-view', 'take what is at its root for its view from now on, and make every stub there')
    .addHelpText('after', MENDS)
    .action(async (sink: string | undefined, options: CommonOptions & { approve?: boolean; newView?: boolean }) => {
      const wanted = { sink, approved: options.approve === true, newView: options.newView === true };
      await run(options, async (call) => (await import('./sink.ts')).reconcileSink(wanted, call));
    });
}
