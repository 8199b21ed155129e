import { describe, expect, it } from 'vitest';
import { sourceHeads } from '../../../cli/status/source-heads.ts';
import { parseFederation } from '../../../schema/federation/parse-federation.ts';
import type { SourceRow } from '../../../schema/index/sources.ts';
import type { FeedStore } from '../../../schema/ports/feed-store.ts';
import type { TriggerQueue } from '../../../schema/ports/trigger-queue.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const federation = parseFederation(
  `name: lake
account: { name: contosolake }
sources:
  serviceBus: { queue: q, namespace: n }
  changeFeed: { pollSeconds: 1 }
  inventory: { container: inventory, everyHours: 24 }
sinks: { gpu: { kind: fileView, root: /mnt } }
rules: [{ prefix: '', authority: blob, sink: gpu }]
`,
  {},
);

/** A feed whose newest segment opened then; undefined where it cannot be reached. */
function feedOpened(at: number | undefined): FeedStore {
  const text =
    at === undefined ? undefined : JSON.stringify({ version: 0, lastConsumable: new Date(at).toISOString() });
  return {
    readText: async () => {
      if (text === undefined) throw new Error('connect ECONNREFUSED');
      return { text, etag: 'e' };
    },
  } as unknown as FeedStore;
}

function queueOf(oldest: number | undefined): TriggerQueue {
  return { oldest: async () => oldest } as unknown as TriggerQueue;
}

const row = (source: SourceRow['source'], more: Partial<SourceRow> = {}): SourceRow => ({
  ...{ accountId: 1, source, state: 'tailing', updatedAt: NOW },
  ...more,
});

async function heads(options: {
  feed?: FeedStore;
  oldest?: number | undefined;
  rows?: readonly SourceRow[];
  horizon?: number;
}) {
  const account = { horizon: options.horizon };
  const asked = {
    federation,
    account,
    feed: options.feed ?? feedOpened(NOW - 5_000),
    triggers: queueOf(options.oldest),
  };
  const found = await sourceHeads(asked, options.rows ?? [], NOW, new AbortController().signal);
  return Object.fromEntries(found.map((head) => [head.source, head]));
}

describe('9: where sources stand', () => {
  it('9: a queue with a message that nobody settles is behind since that message', async () => {
    const { trigger } = await heads({ oldest: NOW - 70_000, rows: [row('trigger', { applied: NOW - 90_000 })] });
    expect(trigger).toMatchObject({ behind: 'messages wait in the queue', since: NOW - 70_000 });
  });

  it('9: an empty queue is not behind, however long ago the last message was', async () => {
    const { trigger } = await heads({ rows: [row('trigger', { applied: NOW - 86_400_000 })] });
    expect(trigger?.behind).toBeUndefined();
  });

  it('9: a feed whose segment opened after what is applied is behind, though its loop says nothing', async () => {
    const { feed } = await heads({ rows: [row('feed', { applied: NOW - 3_600_000, head: NOW - 3_600_000 })] });
    expect(feed).toMatchObject({ behind: 'records of the feed are not applied', head: NOW - 5_000 });
  });

  it('9: a feed that nobody has read for a while is behind, whatever it holds', async () => {
    const known = row('feed', { head: NOW, applied: NOW, updatedAt: NOW - 30_000 });
    expect((await heads({ rows: [known] })).feed?.behind).toBe('the feed is not being read');
    expect((await heads({ rows: [{ ...known, updatedAt: NOW - 1_000 }] })).feed?.behind).toBeUndefined();
  });

  it('9: a source that cannot be asked is behind, and says why', async () => {
    const { feed } = await heads({ feed: feedOpened(undefined), rows: [row('feed')] });
    expect(feed).toMatchObject({ state: 'unreachable', reason: 'connect ECONNREFUSED' });
    expect(feed?.behind).toBeDefined();
  });

  it('9: an inventory that did not come within twice its time is missing', async () => {
    const late = row('inventory', { applied: NOW - 49 * 3_600_000 });
    expect((await heads({ rows: [late] })).inventory?.behind).toContain('49 hours');
    expect(
      (await heads({ rows: [row('inventory', { applied: NOW - 47 * 3_600_000 })] })).inventory?.behind,
    ).toBeUndefined();
  });

  it('an account without a feed says so, and is not behind', async () => {
    const { feed } = await heads({
      feed: feedOpened(undefined),
      rows: [row('feed', { state: 'no-feed', reason: 'not enabled' })],
    });
    expect(feed).toMatchObject({ state: 'no-feed', reason: 'not enabled', behind: undefined });
  });
});
