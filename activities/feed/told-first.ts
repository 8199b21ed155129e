import type { BlobEvent } from '../../namespace/change.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { formatKey } from '../../namespace/key.ts';
import { triggerSources } from '../../schema/federation/trigger-sources.ts';
import type { PageCounts } from '../../schema/index/apply-events.ts';
import { readSources } from '../../schema/index/sources.ts';
import { addTriggerTally, noTally } from '../../schema/index/trigger-minutes.ts';
import { noteUntold, readListening } from '../../schema/index/trigger-watch.ts';
import type { Services } from '../services.ts';

const EVERY_MS = 1_000;

/**
 * Counts, page by page of the feed, which changes a trigger had told before, and notes one that none told: by that a
 * subscription that is gone is found. Not in the pages' transactions, and at most once a second.
 *
 * What the feed told first is what it applied, less what had to be looked at: triggers do not announce every change
 * that is (a blob's properties, say).
 *
 * Every change is counted once, however often it is read: where somebody else has moved the cursor, as who sets it back
 * does, what is no newer than what was applied by then is left out. A record that is late by then is not counted either,
 * which is why one of these is kept from turn to turn: each shard of a segment comes to its records at another time.
 */
export class ToldFirst {
  readonly #services: Services;
  readonly #expected: boolean;
  #tally = noTally();
  #untold: { readonly time: Timestamp; readonly name: string } | undefined;
  /** The newest moment that was applied when somebody else had moved the cursor. */
  #readTo: Timestamp = Number.NEGATIVE_INFINITY;
  /** Of the cursor, as this reader left it. */
  #version: number | undefined;
  #listening: Awaited<ReturnType<typeof readListening>>;
  #readAt: Timestamp = Number.NEGATIVE_INFINITY;
  #writtenAt: Timestamp = Number.NEGATIVE_INFINITY;

  constructor(services: Services) {
    this.#services = services;
    this.#expected = triggerSources(services.federation.sources).length > 0;
  }

  /** Before anything is read from where the cursor stands now, which may have been set back. @param version undefined: none. */
  async begins(version: number | undefined): Promise<void> {
    if (!this.#expected || version === this.#version) return;
    const { account, index } = this.#services;
    const rows = await readSources(index.db, account.id);
    this.#readTo = rows.find(({ source }) => source === 'feed')?.applied ?? Number.NEGATIVE_INFINITY;
    this.#version = version;
  }

  /** This reader itself has moved the cursor on, to another segment. */
  movedOn(version: number): void {
    this.#version = version;
  }

  /** After the commit of a page. */
  async seen(events: readonly BlobEvent[], counts: Pick<PageCounts, 'applied' | 'looks' | 'agreed'>): Promise<void> {
    if (!this.#expected) return;
    const { clock, metrics } = this.#services;
    const news = events.filter(({ effect, time }) => effect !== 'touch' && time > this.#readTo).length;
    const byFeed = Math.min(news, await this.#byFeed(events, counts.applied - counts.looks));
    const again = events.some(({ time }) => time <= this.#readTo);
    // Of a page that is read again in part, which agreed is not known: no more than the rest.
    const byTrigger = again ? Math.min(counts.agreed, news - byFeed) : counts.agreed;
    this.#tally.byTrigger += byTrigger;
    this.#tally.byFeed += byFeed;
    metrics.toldFirst({ byTrigger, byFeed });
    if (isDue(this.#writtenAt, clock.now())) await this.flush();
  }

  /** Writes down what was counted since it last was. */
  async flush(): Promise<void> {
    const { account, clock, index } = this.#services;
    const [tally, untold] = [this.#tally, this.#untold];
    const now = clock.now();
    this.#tally = noTally();
    this.#untold = undefined;
    if (tally.byTrigger + tally.byFeed > 0) {
      this.#writtenAt = now;
      await addTriggerTally(index.db, { accountId: account.id, source: 'trigger' }, now, tally);
    }
    if (untold !== undefined) await noteUntold(index.db, account.id, untold, { now, margin: account.margin });
  }

  /** Of so many changes that were news, how many triggers should have told. */
  async #byFeed(events: readonly BlobEvent[], news: number): Promise<number> {
    if (news <= 0) return 0;
    const { account, clock, index } = this.#services;
    if (isDue(this.#readAt, clock.now())) {
      this.#listening = await readListening(index.db, account.id);
      this.#readAt = clock.now();
    }
    const listening = this.#listening;
    if (listening === undefined) return 0;
    let fresh = 0;
    for (const { effect, time } of events) if (effect !== 'touch' && time > listening.since) fresh++;
    if (fresh > 0) await this.#findUntold(events, listening);
    return Math.min(news, fresh);
  }

  /** The newest of a page stand last, so that one is found soon where there is one. */
  async #findUntold(
    events: readonly BlobEvent[],
    { since, told }: { readonly since: Timestamp; readonly told: Timestamp },
  ): Promise<void> {
    const newer = Math.max(since, told + this.#services.account.margin);
    const { index: rules } = await this.#services.rules();
    const found = events.findLast(
      (event) => event.effect !== 'touch' && event.time > newer && rules.match(event)?.authority === 'blob',
    );
    if (found !== undefined) this.#untold = { time: found.time, name: formatKey(found) };
  }
}

function isDue(last: Timestamp, now: Timestamp): boolean {
  return now < last || now - last >= EVERY_MS;
}
