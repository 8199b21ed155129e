import { type Command, InvalidArgumentError, Option } from 'commander';
import { CAUSE_NAMES, CAUSES, type Cause } from '../../schema/drift/cause.ts';
import { type AddCommand, examplesText } from '../add-command.ts';
import { formatTable } from '../format.ts';
import type { CommonOptions } from '../run.ts';

interface Listing {
  readonly run?: number;
  readonly cause?: Cause;
  readonly prefix?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly repeated?: boolean;
  readonly exitCode?: boolean;
  readonly trend?: number | true;
}

const TREND = 20;
const EXAMPLES = [
  'drift',
  'drift --cause missed-by-both --prefix lake/2026/',
  'drift --run 12 --all --limit 100',
  'drift --trend',
  'drift show lake/2026/11/01/shard-00000.tar',
  "drift --json | jq '.causes'",
];

/** `isthmus drift …`: what judges found of account and sinks that the index did not say, and why. */
export function addDriftCommands(program: Command, { add, asJson, run }: AddCommand): void {
  const causes = formatTable(CAUSE_NAMES.map((cause) => [`  ${cause}`, CAUSES[cause].meaning]));
  const drift = program
    .command('drift')
    .description('show what judges found that the index did not say, by cause and prefix; alone it is `drift list`')
    .addHelpText('after', `${examplesText(EXAMPLES)}\n\nCauses:\n${causes}`);

  asJson(
    add(
      drift,
      'list',
      'show open findings of the newest run of each judge, by cause and folder; exits 0 whatever it tells',
      ['drift', 'drift list --repeated', 'drift list --prefix lake/2026/ --all', 'drift list --run 12 --exit-code'],
      { isDefault: true },
    ),
  )
    .option('--run <run>', 'of this run, instead of the newest ones', positive)
    .addOption(new Option('--cause <cause>', 'only those of this cause').choices(CAUSE_NAMES))
    .option('--prefix <prefix>', 'only names that start with this prefix of CONTAINER/NAME')
    .option('--limit <findings>', 'how many to show one by one, at most', positive, 20)
    .option('--all', 'what was mended or explained, too')
    .option('--repeated', 'only what three runs in a row found, mended or not')
    .option('--exit-code', 'exit 1 where anything is told')
    .addOption(
      new Option('--trend [runs]', `the newest runs (${TREND}), each with its drift by cause`)
        .argParser(positive)
        .conflicts(['run', 'cause', 'prefix', 'all', 'repeated', 'exitCode']),
    )
    .action(async (options: CommonOptions & Listing) => {
      const { trend, cause, prefix = '', limit, all = false, repeated = false, exitCode = false } = options;
      await run(options, async (call) =>
        trend === undefined
          ? (await import('./list.ts')).listDrift(
              { run: options.run, cause, prefix, limit, all, repeated, exitCode },
              call,
            )
          : (await import('./trend.ts')).trendOfDrift(trend === true ? TREND : trend, call),
      );
    });

  asJson(
    add(
      drift,
      'show',
      'show all that was ever found of one name, the newest first, with its evidence; exit 1: nothing',
      ['drift show lake/2026/11/01/shard-00000.tar', 'drift show lake/a --limit 1 --json'],
    ),
  )
    .argument('<container/name>', 'the blob')
    .option('--limit <findings>', 'how many at most', positive, 10)
    .action(async (key: string, options: CommonOptions & { limit: number }) => {
      await run(options, async (call) => (await import('./show.ts')).showDrift(key, options.limit, call));
    });

  asJson(add(drift, 'causes', 'list every cause with what it means', ['drift causes', 'drift causes --json'])).action(
    async (options: CommonOptions) => {
      await run(options, async (call) => (await import('./causes.ts')).listCauses(call));
    },
  );
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return value;
}
