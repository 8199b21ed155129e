import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../../cli/call.ts';
import { feedDump } from '../../../cli/commands/feed-dump.ts';
import { feedShow } from '../../../cli/commands/feed-show.ts';
import { replay } from '../../../cli/commands/replay.ts';
import { exitCodeOf } from '../../../cli/failure.ts';
import { ACCOUNT } from '../../../infra/local/storage/account.ts';
import { feedShowOutput } from '../../../schema/outputs/feed-show.ts';
import { type HttpFault, HttpFeed } from '../../activities/azure/http-feed.ts';
import { MemoryFeed } from '../../activities/azure/memory-feed.ts';
import { type RecordingTerminal, recordingTerminal } from '../recording-terminal.ts';

/** An account that answers, where neither Temporal nor the index does. */
async function world(sources: string, fault: HttpFault, isHierarchical = false) {
  await using made = new AsyncDisposableStack();
  const feed = made.use(await HttpFeed.open(new MemoryFeed()));
  feed.fault = ({ path: asked }) => (asked === '?account' ? undefined : fault);
  feed.isHierarchical = isHierarchical;
  const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-cli-'));
  made.defer(() => rm(folder, { recursive: true }));
  const config = path.join(folder, 'federation.yaml');
  await writeFile(
    config,
    `name: lake
account: { name: ${ACCOUNT}, connectionString: '${feed.connectionString}' }
sources: ${sources}
sinks: { gpu: { kind: fileView, root: . } }
rules: [{ prefix: '', authority: blob, sink: gpu }]
`,
  );
  const env = { TEMPORAL_ADDRESS: '127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/none' };
  const stack = made.move();
  return {
    call: (json = false): Call & { readonly terminal: RecordingTerminal } => ({
      ...{ env, terminal: recordingTerminal(), signal: new AbortController().signal, json, config },
    }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const NONE = { status: 404, code: 'ContainerNotFound' };
const REFUSED = { status: 403, code: 'AuthorizationPermissionMismatch' };

async function failureOf(running: Promise<unknown>): Promise<Error> {
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Error) return error;
  throw new Error('it did not fail');
}

describe('an account without a feed, of which the federation names none', () => {
  it.each([
    ['not-enabled', NONE, false],
    ['hierarchical', NONE, true],
    ['forbidden', REFUSED, false],
  ])(
    '9: refuses a replay at once, as other commands of the feed do, where it is %s',
    async (why, fault, isHierarchical) => {
      await using on = await world('{ serviceBus: { queue: q, namespace: n } }', fault, isHierarchical);
      const dumped = await failureOf(feedDump({}, on.call()));
      const failed = await failureOf(replay({ from: Date.UTC(2026, 0) }, on.call()));
      expect(failed).toMatchObject({ code: 'ISTHMUS_FEED_UNAVAILABLE', why });
      expect(failed.message.startsWith(`${dumped.message}. `)).toBe(true);
      expect(failed.message).toContain('`isthmus reconcile`');
      expect([exitCodeOf(dumped), exitCodeOf(failed)]).toEqual([3, 3]);
    },
  );

  it('9: says that it has none and that nothing reads it, and nothing of a Temporal that nobody asked', async () => {
    await using on = await world('{ serviceBus: { queue: q, namespace: n } }', NONE, true);
    const shown = on.call();
    await feedShow(shown);
    expect(shown.terminal.printed).toContain('It has no loop: the federation names no change feed');
    expect(shown.terminal.printed.join('\n')).toContain('There is no feed to read (hierarchical)');
    expect(shown.terminal.printed.join('\n')).not.toContain('Temporal');
    const json = on.call(true);
    await feedShow(json);
    expect(feedShowOutput.parse(JSON.parse(json.terminal.printed.join('')))).toMatchObject({
      feed: { exists: false, why: 'hierarchical' },
      loop: { state: 'not-named', doing: null, reason: 'the federation names no change feed' },
    });
  });
});
