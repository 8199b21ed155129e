import { setTimeout as sleep } from 'node:timers/promises';
import { forgetCursor } from '../../../schema/index/feed-cursors.ts';
import { digestEntries, sumRevisions } from '../../../schema/index/queries.ts';
import { isthmus } from '../isthmus.ts';
import type { Step, Story } from '../story.ts';

/** The whole feed is read again from its beginning and every trigger comes twice more: nothing may change. */
export const sameNewsStep: Step = {
  title: 'The same news again: the whole feed, all triggers twice',
  async run(story, say) {
    await isthmus(story, ['status', '--wait']);
    const before = await fingerprint(story);
    say('sending every trigger twice and reading the feed from its beginning');
    const { events } = await story.control.replayTriggers(2);
    await forgetCursor(story.index.db, story.account.id);
    await sleep(500, undefined, { signal: story.signal });
    say('waiting until both have been taken');
    await isthmus(story, ['status', '--wait']);
    const after = await fingerprint(story);
    const changed = after.revisions - before.revisions;
    if (changed !== 0 || after.sha256 !== before.sha256) {
      throw new Error(
        `The same news changed ${changed} entries; the digest was ${before.sha256} and is ${after.sha256}.`,
      );
    }
    return { triggersAgain: events, entriesChanged: changed, entries: after.entries };
  },
};

/** What stands in the index, and how often its entries have been written. */
async function fingerprint({ index, account }: Story): Promise<{ entries: number; sha256: string; revisions: number }> {
  const { entries, sha256 } = await digestEntries(index, account.id, '');
  return { entries, sha256, revisions: await sumRevisions(index.db, account.id) };
}
