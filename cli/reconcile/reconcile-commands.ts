import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ReconcileInput } from '../../schema/inputs/activities.ts';
import { type AddCommand, examplesText } from '../add-command.ts';
import type { CommonOptions } from '../run.ts';
import { addReconcileSinkCommand } from './sink-command.ts';

const WAITS = '--no-wait';
const APPROVAL = `
Where a judge lacks so many names that the percent stop trips, nothing is deleted, the plan is printed, and it exits 1:
  $ isthmus reconcile plan         # what would be deleted, and why it waits
  $ isthmus reconcile approve 12   # or: isthmus reconcile reject 12 --reason TEXT`;

/** `isthmus reconcile …`: judge the index, decide of what a judge would delete, take it back. */
export function addReconcileCommands(program: Command, { add, asJson, run }: AddCommand): void {
  const reconcile = program
    .command('reconcile')
    .description('judge the index, approve or reject what that would delete, undo it; alone it is `reconcile run`')
    .addHelpText(
      'after',
      examplesText([
        'reconcile',
        'reconcile run --prefix lake/2026/',
        'reconcile plan',
        'reconcile approve 12',
        'reconcile undo 12',
        'reconcile history',
        'reconcile sink gpu',
      ]),
    );

  asJson(
    add(
      reconcile,
      'run',
      'judge the index by a complete listing or an inventory report, and print what it found',
      ['reconcile', 'reconcile run --prefix lake/2026/', 'reconcile run --judge inventory', 'reconcile run --no-wait'],
      { isDefault: true },
    ),
  )
    .addOption(
      new Option(
        '--judge <judge>',
        'what judges: a listing of the account now, the newest inventory report, or, as the schedule has it (auto), what is due',
      )
        .choices(['auto', 'listing', 'inventory'])
        .default('listing'),
    )
    .option('--prefix <prefix>', 'with a listing: only names that start with this')
    .option(WAITS, 'only ask for it: it is done after the one that runs, if any')
    .addHelpText('after', APPROVAL)
    .action(async (options: CommonOptions & { judge: ReconcileInput['judge']; prefix?: string; wait: boolean }) => {
      const { judge, prefix, wait } = options;
      await run(options, async (call) => (await import('./run.ts')).reconcile({ judge, prefix, wait }, call));
    });

  asJson(
    add(reconcile, 'plan', 'show what a run does, and would delete, by prefix', [
      'reconcile plan',
      'reconcile plan 12 --json',
    ]),
  )
    .argument('[run]', 'as `reconcile history` prints it (default: one that waits, else the newest)', runNumber)
    .action(async (runId: number | undefined, options: CommonOptions) => {
      await run(options, async (call) => (await import('./plan.ts')).showPlan(runId, call));
    });

  asJson(
    add(
      reconcile,
      'approve',
      'let a run that waits delete: each name is looked at first; exit 1 where it does not wait',
      ['reconcile approve 12', 'reconcile approve 12 --reason "the folder was to go" --as ada --no-wait'],
    ),
  )
    .argument('<run>', 'as `reconcile plan` prints it', runNumber)
    .option('--reason <text>', 'why: it is kept and shown')
    .addOption(as())
    .option(WAITS, 'only decide: do not follow what is done then')
    .action(async (runId: number, options: CommonOptions & Deciding & { reason?: string }) => {
      const { as: who, reason, wait } = options;
      const how = { run: runId, decision: 'approved', who, reason, wait } as const;
      await run(options, async (call) => (await import('./decide.ts')).decideRun(how, call));
    });

  asJson(
    add(reconcile, 'reject', 'keep all that a run that waits would delete; exit 1 where it does not wait', [
      'reconcile reject 12 --reason "the listing was of the wrong account"',
    ]),
  )
    .argument('<run>', 'as `reconcile plan` prints it', runNumber)
    .requiredOption('--reason <text>', 'why: it is kept and shown')
    .addOption(as())
    .option(WAITS, 'only decide: do not follow what is done then')
    .action(async (runId: number, options: CommonOptions & Deciding & { reason: string }) => {
      const { as: who, reason, wait } = options;
      const how = { run: runId, decision: 'rejected', who, reason, wait } as const;
      await run(options, async (call) => (await import('./decide.ts')).decideRun(how, call));
    });

  asJson(
    add(reconcile, 'undo', 'look again at each name that a run deleted, restore what exists, list what does not', [
      'reconcile undo 12',
    ]),
  )
    .argument('<run>', 'as `reconcile history` prints it', runNumber)
    .action(async (runId: number, options: CommonOptions) => {
      await run(options, async (call) => (await import('./undo.ts')).undoReconcile(runId, call));
    });

  asJson(
    add(reconcile, 'history', 'list runs, the newest first: what they judged, found and repaired, who decided', [
      'reconcile history',
      'reconcile history --prefix lake/2026/ --limit 5 --json',
      'reconcile history --sink vast',
    ]),
  )
    .option('--limit <runs>', 'how many at most', positive, 20)
    .option('--prefix <prefix>', 'only runs over just this; "" for those over everything')
    .option('--sink <sink>', 'only runs that judged this sink')
    .action(async (options: CommonOptions & { limit: number; prefix?: string; sink?: string }) => {
      const { limit, prefix, sink } = options;
      await run(options, async (call) => (await import('./history.ts')).showHistory({ limit, prefix, sink }, call));
    });
  addReconcileSinkCommand(reconcile, { add, asJson, run });
}

interface Deciding {
  readonly as: string;
  readonly wait: boolean;
}

function as(): Option {
  return new Option('--as <name>', 'who decides: it is kept and shown').default(
    userName(),
    'your name on this machine',
  );
}

/** A user of a container may have none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

function runNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It is the number of a run.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return value;
}
