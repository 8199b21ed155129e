import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isthmus } from './isthmus.ts';
import type { Figures, Story } from './story.ts';

/** Recordings of real accounts stand beside the checkout; `ISTHMUS_REAL_DATA` names another place. */
const REAL_DATA = process.env.ISTHMUS_REAL_DATA ?? fileURLToPath(new URL('../../../shared/real-data', import.meta.url));

const RECORDINGS = [
  { folder: 'java-2020-06', account: 'javadevtest' },
  { folder: 'js-stage-2020-06', account: 'jsdevtest' },
];

interface Replayed {
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  readonly live: number;
  readonly tombstones: number;
  readonly digest: { readonly sha256: string };
}

/** Replays the recorded Change Feeds of two real accounts into indexes of their own. */
export async function replayRecorded(story: Story): Promise<Figures> {
  const figures: Record<string, number | string> = {};
  for (const { folder, account } of RECORDINGS) {
    const feed = path.join(REAL_DATA, 'changefeed', folder, '$blobchangefeed');
    if (!existsSync(feed)) {
      figures[folder] = 'no recording beside this checkout';
      continue;
    }
    const replayed = await isthmus<Replayed>(story, ['replay', '--feed', feed, '--account', account]);
    figures[`${folder}.records`] = replayed.records;
    figures[`${folder}.live`] = replayed.live;
    figures[`${folder}.tombstones`] = replayed.tombstones;
    figures[`${folder}.sha256`] = replayed.digest.sha256;
  }
  return figures;
}
