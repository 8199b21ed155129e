import { Context } from '@temporalio/activity';
import type { Timestamp } from '../namespace/entry.ts';
import { ensureError, hasCode } from '../schema/errors.ts';
import { applyEvents, type PageCounts } from '../schema/index/apply-events.ts';
import { type FeedCursor, moveCursor, readCursor } from '../schema/index/feed-cursors.ts';
import { recordJournal } from '../schema/index/journal.ts';
import { upsertSource } from '../schema/index/sources.ts';
import type { Activities, FeedTurn } from '../schema/inputs/activities.ts';
import { applyUnderRules } from './apply-under-rules.ts';
import type { FeedPage } from './azure/feed-page.ts';
import { FeedReader } from './azure/feed-reader.ts';
import { readAhead } from './azure/read-ahead.ts';
import { heartbeats } from './heartbeat.ts';
import { quietly } from './quietly.ts';
import type { Services } from './services.ts';

const POLL_SECONDS = 30;

/** Another attempt has moved the cursor: what this one read is applied already (invariant 3). */
class CursorLost extends Error {}

/** What a turn has done so far; also what its heartbeat says. */
interface Progress {
  records: number;
  applied: number;
  superseded: number;
  appliedTo: Timestamp | undefined;
  position: string | undefined;
}

/**
 * Tails the account's change feed. Each page commits with the cursor after it, so that a killed worker repeats at
 * most what was not committed, and an attempt that was overtaken stops without having done anything.
 */
export function feedActivities(services: Services): Pick<Activities, 'tailFeed'> {
  const { account, clock, index } = services;
  const pollMs = (services.federation.sources.changeFeed?.pollSeconds ?? POLL_SECONDS) * 1000;
  const newReader = () => new FeedReader(services.feed, { source: 'feed', now: () => clock.now() });
  // Kept from turn to turn for the headers and unfinished blocks that it has. A turn takes it: an attempt that
  // overlaps one which is taken for dead reads by itself.
  let kept: FeedReader | undefined;

  async function commit(
    page: FeedPage,
    from: FeedCursor | undefined,
    to: FeedCursor,
    progress: Progress,
  ): Promise<void> {
    const counts = await applyUnderRules(services, async (tx, scope) => {
      const applied = await applyEvents(tx, { ...scope, events: page.events });
      if ((await moveCursor(tx, account.id, from, to)) === 'lost') throw new CursorLost();
      if (page.refused.length > 0) {
        const notes = page.refused.map(({ reason, ...detail }) => ({ kind: reason, detail }));
        await recordJournal(tx, account.id, notes);
      }
      await upsertSource(tx, standing(page, 'tailing'));
      return applied;
    });
    count(page, counts, progress);
  }

  function count(page: FeedPage, counts: PageCounts, progress: Progress): void {
    progress.records += page.records;
    progress.applied += counts.applied;
    progress.superseded += counts.superseded;
    progress.appliedTo = page.readTo;
    progress.position = positionOf(page.cursor);
    const { applied, superseded } = counts;
    services.metrics.page('feed', { ...counts.ignored, ...page.ignored, applied, superseded });
  }

  function standing(page: FeedPage, state: string) {
    const detail = { position: positionOf(page.cursor), caughtUp: page.caughtUp };
    return { accountId: account.id, source: 'feed', head: page.head, applied: page.readTo, state, detail } as const;
  }

  async function stopped(error: unknown, state: string): Promise<string> {
    const reason = ensureError(error).message;
    await upsertSource(index.db, { accountId: account.id, source: 'feed', state, reason });
    return reason;
  }

  /** From the cursor to the feed's end, or until the turn is over. */
  async function readToEnd(
    reader: FeedReader,
    progress: Progress,
    until: Timestamp,
    signal: AbortSignal,
  ): Promise<void> {
    let cursor = await readCursor(index.db, account.id);
    for await (const page of readAhead(reader.read(cursor, signal))) {
      if (page.records > 0 && page.cursor !== undefined) {
        await commit(page, cursor, page.cursor, progress);
        cursor = page.cursor;
      } else {
        progress.position = positionOf(cursor);
        progress.appliedTo = page.readTo;
        await upsertSource(index.db, standing(page, 'tailing'));
      }
      if (signal.aborted || clock.now() >= until) return;
    }
  }

  return {
    async tailFeed({ seconds }): Promise<FeedTurn> {
      const signal = Context.current().cancellationSignal;
      const until = clock.now() + seconds * 1000;
      const progress = noProgress();
      const reader = kept ?? newReader();
      kept = undefined;
      using _heartbeats = heartbeats(() => progress);
      try {
        await quietly(signal, async () => {
          while (clock.now() < until && !signal.aborted) {
            await readToEnd(reader, progress, until, signal);
            await clock.sleep(Math.min(pollMs, Math.max(0, until - clock.now())), signal);
          }
        });
      } catch (error) {
        if (error instanceof CursorLost) return { state: 'tailing', ...progress };
        if (hasCode(error, 'ISTHMUS_FEED_UNAVAILABLE')) {
          return { state: 'no-feed', reason: await stopped(error, 'no-feed'), ...progress };
        }
        if (hasCode(error, 'ISTHMUS_FEED_CORRUPT') || hasCode(error, 'ISTHMUS_FEED_GAP'))
          await stopped(error, 'stopped');
        throw error;
      }
      kept = reader;
      return { state: 'tailing', ...progress };
    },
  };
}

function noProgress(): Progress {
  return { records: 0, applied: 0, superseded: 0, appliedTo: undefined, position: undefined };
}

/** `chunk @ offset` of each shard, for people. */
function positionOf(cursor: FeedCursor | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const shards = Object.values(cursor.shards).map(({ chunk, offset }) => `${chunk} @ ${offset}`);
  return shards.length === 0 ? cursor.segment : shards.join(', ');
}
