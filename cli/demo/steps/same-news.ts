import { setTimeout as sleep } from 'node:timers/promises';
import { entriesFingerprint } from '../fingerprint.ts';
import { isthmus } from '../isthmus.ts';
import { rewindFeed } from '../rewind.ts';
import type { Step } from '../story.ts';

/** The whole feed is read again from its beginning and every trigger comes twice more: nothing may change. */
export const sameNewsStep: Step = {
  title: 'The same news again: the whole feed, all triggers twice',
  async run(story, say) {
    await isthmus(story, ['status', '--wait']);
    const before = await entriesFingerprint(story);
    say('sending every trigger twice and reading the feed from its beginning');
    const { republished } = await story.control.replayTriggers(2);
    const records = await rewindFeed(story);
    await sleep(500, undefined, { signal: story.signal });
    say('waiting until both have been taken');
    await isthmus(story, ['status', '--wait']);
    const after = await entriesFingerprint(story);
    const changed = after.revisions - before.revisions;
    if (changed !== 0 || after.sha256 !== before.sha256) {
      throw new Error(
        `The same news changed ${changed} entries; the digest was ${before.sha256} and is ${after.sha256}.`,
      );
    }
    return { triggersAgain: republished, feedRecordsAgain: records, entriesChanged: changed };
  },
};
