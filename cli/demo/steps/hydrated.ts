import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathOf } from '../../../namespace/path.ts';
import { isthmus } from '../isthmus.ts';
import type { Step } from '../story.ts';
import { awaitTruth } from '../truth.ts';
import { MODELS } from './upload.ts';

const NAME = 'weights/large.bin';
const BYTES = 40 * 1024 * 1024 + 17;

interface Hydrated {
  readonly files: number;
  readonly bytes: number;
  readonly failed: number;
}

/** Brings one large file's bytes in and compares them with the blob's. */
export const hydratedStep: Step = {
  title: 'Bytes on demand: hydrate, and compare with the blob',
  async run(story, say) {
    const body = Buffer.alloc(BYTES, createHash('sha512').update(NAME).digest());
    say('uploading a large blob in blocks');
    const blob = story.blobs.getContainerClient(MODELS).getBlockBlobClient(NAME);
    await blob.uploadData(body, { blockSize: 8 * 1024 * 1024, concurrency: 4 });
    await awaitTruth(story);
    say('hydrating');
    const began = performance.now();
    const hydrated = await isthmus<Hydrated>(story, ['hydrate', `${MODELS}/${NAME}`]);
    const hydrateMs = Math.round(performance.now() - began);
    const mapped = pathOf({ container: MODELS, name: NAME });
    if ('unrepresentable' in mapped) throw new Error(`${NAME} has no path: ${mapped.unrepresentable}`);
    const file = await readFile(path.join(story.stack.env.ISTHMUS_VAST_ROOT ?? '', mapped.path));
    if (!file.equals(body)) throw new Error(`The hydrated bytes of ${MODELS}/${NAME} are not the blob's.`);
    return {
      files: hydrated.files,
      bytes: hydrated.bytes,
      hydrateMs,
      sameBytes: true,
      sha256: createHash('sha256').update(file).digest('hex'),
    };
  },
};
