import { Command, InvalidArgumentError, Option } from 'commander';
import { TRANSPORTS, type Transport } from '../infra/local/services-options.ts';
import { addCommand } from './add-command.ts';
import type { ReplayOptions } from './commands/replay.ts';
import { addDeadletterCommands } from './deadletter/deadletter-commands.ts';
import { addDevCommand } from './dev/dev-command.ts';
import { addDriftCommands } from './drift/drift-commands.ts';
import { momentOrAgo } from './duration.ts';
import type { ExitCode } from './exit-codes.ts';
import { addFeedCommands } from './feed/feed-commands.ts';
import { addRebuildCommand } from './rebuild/rebuild-command.ts';
import { addReconcileCommands } from './reconcile/reconcile-commands.ts';
import type { CommonOptions } from './run.ts';
import type { Terminal } from './terminal.ts';
import { addTriggersCommands } from './triggers-commands.ts';
import { versionOf } from './version.ts';

const CODES = `
Exit codes: 0 good, 1 the answer is no, 3 it failed, 64 wrong use, 130 interrupted.
A PREFIX is a plain prefix of CONTAINER/NAME. Commands find an \`isthmus dev\` that runs here or in a folder above;
environment variables and --config win over it.`;

const STATUS = `
It exits 0 when it has told how things are, also where it tells an ALARM. With --wait it exits 1 where they did not
settle in time. It exits 3 where it could not tell. A script that is to fail on an alarm asks:
  $ isthmus status --json | jq -e '.alarms == []'
\`isthmus doctor\` exits 1 where a right, an entity, a setting or a loop is not as it must be. The alert rules of
infra/alerts/isthmus.rules.yaml tell of alarms without being asked.`;

const DOCTOR = `
It asks from here, so run it where a worker runs, as its user and with its environment. It changes nothing, but for
files that it makes and removes below each sink's root, as a worker does when it starts. Who has not answered within
10 s counts as not answering. What may not be read from here (marked ?) fails nothing.`;

/** Every command, with its help. Commands load what they need when they are run, so that each starts fast. */
export function createProgram(terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = new Command('isthmus')
    .description('Keeps one namespace true in Azure Blob Storage and VAST DataSpaces.')
    .version(versionOf())
    .addHelpText('after', CODES)
    .configureOutput({ writeErr: (text) => terminal.say(text.trimEnd()) })
    .showHelpAfterError('(add --help for examples)')
    .exitOverride();

  const { run, asJson, ...adding } = addCommand(terminal, finish);
  const add = (name: string, description: string, examples: readonly string[]): Command =>
    adding.add(program, name, description, examples);

  addDevCommand(program, terminal, finish);

  add('worker', 'run the workers alone, against the services that the federation file and the environment name', [
    'worker --config federation.yaml',
    'DATABASE_URL=postgres://... TEMPORAL_ADDRESS=temporal:7233 isthmus worker --config federation.yaml',
  ]).action(async (options: CommonOptions) => {
    await run({ ...options, drains: true }, async (call) => (await import('./commands/worker.ts')).worker(call));
  });

  asJson(
    add('status', 'show sources, index, stubs, workflows and alarms', [
      'status',
      'status --wait --timeout 120',
      'status --json',
    ]),
  )
    .option('--wait', 'return when nothing that was written is still on its way')
    .option('--timeout <seconds>', 'with --wait: exit 1 after this long', seconds)
    .addHelpText('after', STATUS)
    .action(async (options: CommonOptions & { wait?: boolean; timeout?: number }) => {
      const wanted = { wait: options.wait === true, timeoutSeconds: options.timeout };
      await run(options, async (call) => (await import('./commands/status.ts')).status(wanted, call));
    });

  asJson(
    add('doctor', 'check every right, entity and setting that the federation needs, and say what mends it; exit 1', [
      'doctor',
      'doctor --config federation.yaml --strict',
      'doctor --json | jq \'select(.outcome == "wrong")\'',
    ]),
  )
    .option('--strict', 'exit 1 on a warning, too')
    .addHelpText('after', DOCTOR)
    .action(async (options: CommonOptions & { strict?: boolean }) => {
      const strict = options.strict === true;
      await run(options, async (call) => (await import('./commands/doctor.ts')).doctor({ strict }, call));
    });

  asJson(
    add('ls', 'list live entries in key order, with size, stub and authority (* : the stub is behind)', [
      'ls',
      'ls lake/2026/',
      'ls lake/ --json --limit 10',
    ]),
  )
    .argument('[prefix]', 'a plain prefix of CONTAINER/NAME', '')
    .option('--limit <entries>', 'how many at most', positive)
    .action(async (prefix: string, options: CommonOptions & { limit?: number }) => {
      const limit = options.limit ?? Number.POSITIVE_INFINITY;
      await run(options, async (call) => (await import('./commands/ls.ts')).ls(prefix, limit, call));
    });

  asJson(
    add('explain', 'show one entry: its clock, what put it in this state, its rule, its stub', [
      'explain lake/2026/11/01/shard-00000.tar',
    ]),
  )
    .argument('<container/name>', 'the blob')
    .action(async (key: string, options: CommonOptions) => {
      await run(options, async (call) => (await import('./commands/explain.ts')).explain(key, call));
    });

  asJson(
    add('verify', 'compare source, index and sink by name, size and ETag; exit 1 where they differ', [
      'verify',
      'verify lake/2026/ --json',
    ]),
  )
    .argument('[prefix]', 'a plain prefix of CONTAINER/NAME', '')
    .action(async (prefix: string, options: CommonOptions) => {
      await run(options, async (call) => (await import('./commands/verify.ts')).verify(prefix, call));
    });

  asJson(add('digest', 'print entries, bytes and SHA-256 of the live entries, as JSON', ['digest', 'digest lake/']))
    .argument('[prefix]', 'a plain prefix of CONTAINER/NAME', '')
    .action(async (prefix: string, options: CommonOptions) => {
      await run(options, async (call) => (await import('./commands/digest.ts')).digest(prefix, call));
    });

  asJson(
    add('replay', "apply the account's change feed again, beside its tail, or one that is kept in a folder", [
      'replay --from 1h',
      'replay --from 2026-11-21T10:00Z --to 2026-11-21T11:00Z --prefix lake/2026/ --rate 5000',
      "replay --feed './copy/$blobchangefeed' --account contosolake",
      "replay --feed './copy/$blobchangefeed' --account contosolake --index postgres://...",
    ]),
  )
    .option('--from <time>', 'records from this time on: ISO 8601, or so long ago (30s, 90min, 1h, 2d)', moment)
    .option('--to <time>', 'records before this time, given likewise', moment)
    .option('--prefix <prefix>', 'records of blobs that start with this prefix of CONTAINER/NAME')
    .option('--rate <records>', 'at most so many records a second', positive)
    .addOption(
      new Option('--feed <dir>', 'a copy of a $blobchangefeed container; prints what it held, as JSON').conflicts([
        'from',
        'to',
        'prefix',
        'rate',
      ]),
    )
    .option('--account <name>', 'with --feed: the account that the feed is of')
    .option('--index <url>', 'with --feed: a Postgres to apply it to (default: one that is gone afterwards)')
    .option('--any-account', 'with --index: apply it though its records are of another account than --account')
    .action(async (options: CommonOptions & ReplayOptions) => {
      await run(options, async (call) => (await import('./commands/replay.ts')).replay(options, call));
    });

  asJson(
    add('hydrate', 'bring the bytes of a blob, or of every blob under a prefix, to its sink', [
      'hydrate models/weights.bin',
      'hydrate lake/2026/11/',
    ]),
  )
    .argument('<key-or-prefix>', 'CONTAINER/NAME, or a plain prefix of it')
    .action(async (prefix: string, options: CommonOptions) => {
      await run(options, async (call) => (await import('./commands/hydrate.ts')).hydrate(prefix, call));
    });

  addReconcileCommands(program, { ...adding, asJson, run });
  addRebuildCommand(program, { ...adding, asJson, run });

  asJson(
    add('pause', 'stop a source: its turn under way is ended, and the reason is kept and shown', [
      'pause feed --reason "storage moves"',
      'pause --all --reason "Postgres is upgraded"',
    ]),
  )
    .argument(
      '[source]',
      'trigger (service-bus, event-hubs), dead-letters, feed, look, stub:SINK, replay, inventory, sink:SINK, maintenance',
    )
    .option('--all', 'all of them')
    .requiredOption('--reason <text>', 'why')
    .action(async (source: string | undefined, options: CommonOptions & { all?: boolean; reason: string }) => {
      const pause = { pause: { reason: options.reason } };
      const which = { source, all: options.all === true };
      await run(options, async (call) => (await import('./commands/control.ts')).control(pause, which, call));
    });

  asJson(add('resume', 'let a source go on, after a pause or an alarm', ['resume feed', 'resume --all']))
    .argument(
      '[source]',
      'trigger (service-bus, event-hubs), dead-letters, feed, look, stub:SINK, replay, inventory, sink:SINK, maintenance',
    )
    .option('--all', 'all of them')
    .action(async (source: string | undefined, options: CommonOptions & { all?: boolean }) => {
      const which = { source, all: options.all === true };
      await run(options, async (call) => (await import('./commands/control.ts')).control('resume', which, call));
    });

  addDriftCommands(program, { ...adding, asJson, run });
  addFeedCommands(program, { ...adding, asJson, run });
  addTriggersCommands(program, { ...adding, asJson, run });
  addDeadletterCommands(program, { ...adding, asJson, run });

  asJson(
    add('demo', 'play the whole story on a stack of its own, and print its figures', [
      'demo',
      'demo --json',
      'demo --triggers event-hubs',
      'demo --hierarchical',
    ]),
  )
    .addOption(
      new Option('--triggers <transport>', 'what Event Grid delivers to').choices(TRANSPORTS).default('service-bus'),
    )
    .option('--hierarchical', 'on an account with a hierarchical namespace: directories, and no Change Feed')
    .action(async (options: CommonOptions & { triggers: Transport; hierarchical?: boolean }) => {
      const { triggers, hierarchical = false } = options;
      await run(options, async (call) => (await import('./commands/demo.ts')).demo({ triggers, hierarchical }, call));
    });
  return program;
}

const moment = (text: string) => momentOrAgo(text, Date.now());

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It is a number of seconds above 0.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It is a whole number from 1.');
  return value;
}
