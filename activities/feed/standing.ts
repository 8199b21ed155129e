import type { Timestamp } from '../../namespace/entry.ts';
import { latest } from '../../namespace/latest.ts';
import { readSources, type SourceName, upsertSource } from '../../schema/index/sources.ts';
import type { Services } from '../services.ts';
import { SilentFeed } from './silent-feed.ts';
import type { TurnProgress } from './turn-progress.ts';

const EVERY_MS = 1_000;

/** How the feed is, as its row says and as a turn answers. */
export interface FeedState {
  readonly state: 'tailing' | 'no-feed';
  readonly reason?: string | undefined;
}

/**
 * Keeps the feed's row in `sources`: what `status` shows, and what silence is measured by. Not in the pages' own
 * transactions, since every shard's page would wait there for every other's; at most once a second instead.
 */
export class Standing {
  readonly #services: Services;
  readonly #silent = new SilentFeed();
  #writtenAt: Timestamp = Number.NEGATIVE_INFINITY;

  constructor(services: Services) {
    this.#services = services;
  }

  /** After a page. Says nothing where it has just spoken. */
  async moved(progress: TurnProgress, gaps: string | undefined): Promise<void> {
    if (this.#isFresh()) return;
    await this.#write(progress, { state: 'tailing', reason: gaps });
  }

  /** After a pass to the feed's end. A pass that found nothing may be too soon to say again. */
  async reached(progress: TurnProgress, gaps: string | undefined, news: boolean): Promise<FeedState> {
    const { account, clock, index } = this.#services;
    const rows = await readSources(index.db, account.id);
    const known = (of: SourceName) => rows.find(({ source }) => source === of);
    // A worker that has read nothing yet knows of the newest segment's beginning only; the row knows what was ever read.
    const head = latest(progress.head, known('feed')?.head);
    const told = latest(known('trigger')?.applied, known('event-hubs')?.applied);
    const since = this.#silent.observe(head, told, clock.now());
    const state: FeedState =
      since === undefined
        ? { state: 'tailing', reason: gaps }
        : {
            state: 'no-feed',
            reason: `the feed is there and no longer written: it lacks what triggers told of since ${new Date(since).toISOString()}. Is it switched off?`,
          };
    if (news || !this.#isFresh()) await this.#write(progress, state, since === undefined ? undefined : 'disabled');
    return state;
  }

  /** The feed cannot be read on. */
  async stopped(state: 'no-feed' | 'stopped', reason: string, detail: unknown): Promise<void> {
    const { account, index } = this.#services;
    await upsertSource(index.db, { accountId: account.id, source: 'feed', state, reason, detail });
  }

  #isFresh(): boolean {
    const age = this.#services.clock.now() - this.#writtenAt;
    return age >= 0 && age < EVERY_MS;
  }

  async #write(progress: TurnProgress, { state, reason }: FeedState, why?: 'disabled'): Promise<void> {
    const { account, clock, index } = this.#services;
    // Taken before it is written: another shard that has moved meanwhile need not wait for it.
    this.#writtenAt = clock.now();
    const { head, appliedTo, caughtUp, places } = progress;
    const now = clock.now();
    const detail = { ...places, caughtUp, why, polledAt: now, recordsPerSecond: progress.recordsPerSecond(now) };
    await upsertSource(index.db, {
      ...{ accountId: account.id, source: 'feed', state, reason },
      ...{ head: latest(head, appliedTo), applied: appliedTo, detail },
    });
  }
}
