import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareUtf8, isSystemContainer } from '../../namespace/key.ts';
import { readMoving } from '../../schema/index/moving.ts';
import { countEntries, digestEntries } from '../../schema/index/queries.ts';
import type { Figures, Story } from './story.ts';

const TIMEOUT_MS = 60_000;
const POLL_MS = 200;

interface Digest {
  readonly entries: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** The digest of what the account itself holds, by the same formula as `isthmus digest`, from List Blobs alone. */
async function digestSource({ blobs, canary }: Story, only?: string): Promise<Digest> {
  const lines: { container: string; name: string; etag: string; length: number }[] = [];
  for await (const { name: container } of blobs.listContainers()) {
    if (isSystemContainer(container) || (only !== undefined && container !== only)) continue;
    for await (const blob of blobs.getContainerClient(container).listBlobsFlat()) {
      if (container === canary?.container && blob.name === canary.name) continue;
      const etag = (blob.properties.etag ?? '').replaceAll('"', '');
      lines.push({ container, name: blob.name, etag, length: blob.properties.contentLength ?? 0 });
    }
  }
  lines.sort((a, b) => compareUtf8(a.container, b.container) || compareUtf8(a.name, b.name));
  const hash = createHash('sha256');
  for (const { container, name, etag, length } of lines) hash.update(`${container}/${name}\0${etag}\0${length}\n`);
  const bytes = lines.reduce((sum, { length }) => sum + length, 0);
  return { entries: lines.length, bytes, sha256: hash.digest('hex') };
}

/**
 * Waits until the index says what the account (or the one container) holds, no stub is behind its entry, and no
 * directory that went is still worked off.
 *
 * @returns how long it took from now.
 * @throws where they still differ after a minute, with both digests.
 */
export async function awaitTruth(story: Story, only?: string): Promise<Figures> {
  const began = performance.now();
  const source = await digestSource(story, only);
  for (;;) {
    story.signal.throwIfAborted();
    const index = await digestEntries(story.index, story.account.id, only === undefined ? '' : `${only}/`);
    const { stubDue, lookDue } = await countEntries(story.index.db, story.account.id);
    const { subtrees } = await readMoving(story.index.db, story.account.id);
    const agree = index.sha256 === source.sha256 && index.entries === source.entries;
    if (agree && stubDue === 0 && lookDue === 0 && subtrees === 0) {
      return { entries: index.entries, bytes: index.bytes, settledMs: Math.round(performance.now() - began) };
    }
    if (performance.now() - began > TIMEOUT_MS) {
      throw new Error(
        `The index did not come to the truth within ${TIMEOUT_MS / 1000} s: the account holds ${JSON.stringify(source)}, ` +
          `the index ${JSON.stringify(index)}, ${stubDue} stubs, ${lookDue} looks and ${subtrees} directories are due. ` +
          `Look at \`isthmus status\` and \`isthmus verify\`.`,
      );
    }
    await sleep(POLL_MS, undefined, { signal: story.signal });
  }
}
