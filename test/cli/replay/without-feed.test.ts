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
import { StallTimers } from '../../activities/azure/stall-timers.ts';
import { type RecordingTerminal, recordingTerminal } from '../recording-terminal.ts';

/** An account that answers, where neither Temporal nor the index does. */
async function world(sources: string, fault: HttpFault | undefined, isHierarchical = false) {
  await using made = new AsyncDisposableStack();
  const feed = made.use(await HttpFeed.open(new MemoryFeed()));
  const asked = Promise.withResolvers<void>();
  feed.fault = ({ path: inside }) => {
    asked.resolve();
    return inside === '?account' ? undefined : fault;
  };
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
  const calling = (more: object, json = false): Call & { readonly terminal: RecordingTerminal } => ({
    ...{ env: { ...env, ...more }, terminal: recordingTerminal(), signal: new AbortController().signal, json, config },
  });
  return {
    calling,
    call: (json = false) => calling({}, json),
    /** When the account has been asked something. */
    asked: () => asked.promise,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const NONE = { status: 404, code: 'ContainerNotFound' };
const TRIGGERS = '{ serviceBus: { queue: q, namespace: n } }';
const RANGE = { from: Date.UTC(2026, 0) };
const TEMPORAL = /^The address of Temporal is none/;
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
  ])(
    '9: refuses a replay at once, as other commands of the feed do, where it is %s',
    async (why, fault, isHierarchical) => {
      await using on = await world(TRIGGERS, fault, isHierarchical);
      const dumped = await failureOf(feedDump({}, on.call()));
      const failed = await failureOf(replay(RANGE, on.call()));
      expect(failed).toMatchObject({ code: 'ISTHMUS_FEED_UNAVAILABLE', why });
      expect(failed.message.startsWith(`${dumped.message}. `)).toBe(true);
      expect(failed.message).toContain('`isthmus reconcile`');
      expect([exitCodeOf(dumped), exitCodeOf(failed)]).toEqual([3, 3]);
    },
  );

  // Temporal's address is none, which is told when it is needed: the replay has gone on to it.
  it.each<[string, HttpFault | undefined]>([
    ['has one all the same', undefined],
    ['refuses whoever asks, though perhaps not the worker', REFUSED],
  ])('leaves it to the worker where the account %s', async (_, fault) => {
    await using on = await world(TRIGGERS, fault);
    expect((await failureOf(replay(RANGE, on.calling({ TEMPORAL_ADDRESS: 'http://t' })))).message).toMatch(TEMPORAL);
  });

  it('leaves it to the worker where the account is not to be reached from here, and waits five seconds for it', async () => {
    await using on = await world(TRIGGERS, 'silence');
    using timers = new StallTimers(5_000);
    const replaying = failureOf(replay(RANGE, on.calling({ TEMPORAL_ADDRESS: 'http://t' })));
    await on.asked();
    timers.pass(5_000);
    expect((await replaying).message).toMatch(TEMPORAL);
  });

  it('9: says that it has none and that nothing reads it, and nothing of a Temporal that nobody asked', async () => {
    await using on = await world(TRIGGERS, NONE, true);
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
