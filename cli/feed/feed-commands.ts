import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AddCommand, examplesText } from '../add-command.ts';
import { duration, momentOrAgo } from '../duration.ts';
import type { CommonOptions } from '../run.ts';
import { instant } from './instant.ts';

interface WindowOptions extends CommonOptions {
  readonly dir?: string;
  readonly from?: number;
  readonly to?: number;
  readonly prefix?: string;
}

/** `isthmus feed …`: everything that is done with an account's change feed itself. */
export function addFeedCommands(program: Command, { add, asJson, run }: AddCommand): void {
  const feed = program
    .command('feed')
    .description("look into the account's change feed, check it, and move where it is read from")
    .addHelpText('after', examplesText(['feed show', 'feed dump --from 1h | head', 'feed verify']));

  asJson(
    add(
      feed,
      'show',
      'show segments, shards and their cursors, lag, gaps, skips and rewinds; exit 3 where the feed cannot be seen',
      ['feed show', 'feed show --json'],
    ),
  ).action(async (options: CommonOptions) => {
    await run(options, async (call) => (await import('../commands/feed-show.ts')).feedShow(call));
  });

  asJson(
    add(
      feed,
      'dump',
      'print every record once, in shard order, as JSON lines, each with its position; exit 1 where the feed is broken',
      [
        "feed dump --dir './copy/$blobchangefeed' > records.jsonl",
        'feed dump --from 2026-11-21T10:00Z --to 2026-11-21T11:00Z',
        'feed dump --prefix lake/2026/ | jq .data.etag',
      ],
    ),
  )
    .option(
      '--dir <dir>',
      'a folder that holds a copy of a $blobchangefeed container (default: the account itself)',
      folder,
    )
    .option(
      '--from <time>',
      'records from this time on, by eventTime: ISO 8601, or so long ago (30s, 90min, 1h, 2d)',
      moment,
    )
    .option('--to <time>', 'records before this time', moment)
    .option('--prefix <prefix>', 'records of blobs that start with this prefix of CONTAINER/NAME')
    .action(async (options: WindowOptions) => {
      await run(options, async (call) => (await import('../commands/feed-dump.ts')).feedDump(options, call));
    });

  asJson(
    add(feed, 'verify', 'walk the whole feed, check it, and compare what it says with the index; exit 1 where not', [
      'feed verify',
      'feed verify --json',
      "feed verify --dir './copy/$blobchangefeed'",
    ]),
  )
    .option('--dir <dir>', 'check a copy of a $blobchangefeed container alone, without an index', folder)
    .action(async (options: CommonOptions & { readonly dir?: string }) => {
      await run(options, async (call) => (await import('../commands/feed-verify.ts')).feedVerify(options, call));
    });

  asJson(
    add(feed, 'rewind', 'read the feed again from a time on: what is known already changes nothing', [
      'feed rewind --by 1h --reason "a rule was wrong"',
      'feed rewind --to 2026-11-21T10:00Z --reason "a rule was wrong"',
    ]),
  )
    .addOption(new Option('--to <time>', 'the time to go back to (ISO 8601)').argParser(instant).conflicts('by'))
    .option('--by <duration>', 'how far to go back from now: 30s, 90min, 1h, 2d', duration)
    .requiredOption('--reason <text>', 'why: it is kept and shown')
    .action(async (options: CommonOptions & { to?: number; by?: number; reason: string }) => {
      await run(options, async (call) => (await import('../commands/feed-rewind.ts')).feedRewind(options, call));
    });

  asJson(
    add(
      feed,
      'skip',
      'leave out one block that cannot be read, where the feed stands at it; exit 1 where it does not',
      ['feed skip log/00/2026/11/21/1400/00000.avro 4096 --reason "the block is damaged"'],
    ),
  )
    .argument('<chunk>', "the chunk's path, as the alarm names it")
    .argument('<offset>', "the block's first byte in it", offset)
    .requiredOption('--reason <text>', 'why: it is kept and shown')
    .action(async (chunk: string, at: number, options: CommonOptions & { reason: string }) => {
      const request = { chunk, offset: at, reason: options.reason };
      await run(options, async (call) => (await import('../commands/feed-skip.ts')).feedSkip(request, call));
    });
}

function moment(text: string): number {
  return momentOrAgo(text, Date.now());
}

function folder(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It is the name of a folder.');
}

function offset(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It is a whole number from 0.');
}
