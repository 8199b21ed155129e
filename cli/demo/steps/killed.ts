import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel } from '../parallel.ts';
import type { Step } from '../story.ts';
import { awaitTruth } from '../truth.ts';
import { LAKE } from './upload.ts';

/** The directory of the lake that is written to meanwhile. */
export const KILLED = 'killed';
const BLOBS = 1_200;
const KILLS_AFTER_MS = [700, 2_600];

/** SIGKILL of the worker, twice, while blobs are being written. */
export const killedStep: Step = {
  title: 'The worker is killed in mid-work, twice',
  async run(story, say) {
    say('writing while the worker is killed');
    const lake = story.blobs.getContainerClient(LAKE);
    const writes = inParallel(Array.from({ length: BLOBS }), 8, async (_, at) => {
      await lake.getBlockBlobClient(`${KILLED}/${at % 900}.bin`).upload(`write ${at}`, `write ${at}`.length);
    });
    const kills = (async () => {
      let waited = 0;
      for (const at of KILLS_AFTER_MS) {
        await sleep(at - waited, undefined, { signal: story.signal });
        waited = at;
        say(`SIGKILL of worker ${story.stack.pid('worker')}`);
        story.stack.kill('worker', 'SIGKILL');
      }
    })();
    await Promise.all([writes, kills]);
    say('waiting for the truth');
    const settled = await awaitTruth(story);
    return { written: BLOBS, kills: KILLS_AFTER_MS.length, ...settled };
  },
};
