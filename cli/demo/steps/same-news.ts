import { setTimeout as sleep } from 'node:timers/promises';
import { formatKey, type Key } from '../../../namespace/key.ts';
import { forgetCursor } from '../../../schema/index/feed-cursors.ts';
import { countEntries, listEntries } from '../../../schema/index/queries.ts';
import { isthmus } from '../isthmus.ts';
import type { Step, Story } from '../story.ts';

const PAGE = 1_000;

/** The whole feed, where there is one, is read again from its beginning and every trigger comes twice more: no entry may change. */
export const sameNewsStep: Step = {
  title: 'The same news again: the whole feed, all triggers twice',
  titleWithoutFeed: 'The same news again: all triggers twice',
  async run(story, say) {
    await isthmus(story, ['status', '--wait']);
    const before = await observed(story);
    say(`sending every trigger twice${story.hierarchical ? '' : ' and reading the feed from its beginning'}`);
    const { events } = await story.control.replayTriggers(2);
    if (!story.hierarchical) await forgetCursor(story.index.db, story.account.id);
    await sleep(500, undefined, { signal: story.signal });
    say('waiting until all has been taken');
    await isthmus(story, ['status', '--wait']);
    const after = await observed(story);
    const changed = [...new Set([...before.entries.keys(), ...after.entries.keys()])].filter(
      (key) => before.entries.get(key) !== after.entries.get(key),
    );
    if (before.gone !== after.gone) {
      throw new Error(
        `The same news made of ${before.gone} entries that are gone ${after.gone}. See \`isthmus status\`.`,
      );
    }
    if (changed.length > 0) {
      throw new Error(
        `The same news changed ${changed.length} entries, the first is ${changed[0]}. See \`isthmus explain\`.`,
      );
    }
    return { triggersAgain: events, entries: after.entries.size, entriesChanged: changed.length };
  },
};

interface Observed {
  readonly entries: ReadonlyMap<string, string>;
  readonly gone: number;
}

/**
 * What every live entry says of its blob and of its stub, by key, and how many are gone. Not its clock: an entry that a
 * look has settled learns the sequencer of an event that tells the same, and that is no change of the entry's state.
 */
async function observed({ index, account }: Story): Promise<Observed> {
  const { tombstones, dead } = await countEntries(index.db, account.id);
  const entries = new Map<string, string>();
  let after: Key | undefined;
  for (;;) {
    const page = await listEntries(index.db, account.id, { prefix: '', after, limit: PAGE });
    for (const entry of page) {
      entries.set(formatKey(entry), JSON.stringify([entry.attributes, entry.stub.state, entry.stub.etag]));
    }
    after = page.at(-1);
    if (page.length < PAGE) return { entries, gone: tombstones + dead };
  }
}
