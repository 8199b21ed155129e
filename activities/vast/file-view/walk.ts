import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { type Key, parseKey } from '../../../namespace/key.ts';
import type { SinkFile } from '../../../schema/ports/sink.ts';
import { errorCode } from './files.ts';
import { rootIsGone } from './root.ts';
import type { ViewRunner } from './view-port.ts';

/** Names looked at together. */
const BATCH = 256;

/**
 * Walks the files below the root whose key starts with the prefix. Depth first: memory holds one open directory
 * per level and one batch of names, whatever their number. What vanishes meanwhile is passed over; symbolic
 * links are told of (as foreign) and not followed. Throws `ISTHMUS_SINK` where the root is gone.
 */
export async function* walkView(
  root: string,
  prefix: string,
  runner: ViewRunner,
  signal: AbortSignal,
): AsyncGenerator<SinkFile> {
  yield* walkFolder(root, '', prefix, runner, signal);
}

async function* walkFolder(
  root: string,
  folder: string,
  prefix: string,
  runner: ViewRunner,
  signal: AbortSignal,
): AsyncGenerator<SinkFile> {
  let batch: string[] = [];
  for await (const entry of entriesOf(root, folder)) {
    signal.throwIfAborted();
    // What starts with a dot at the top is the sink's own, or no container.
    if (folder === '' && entry.name.startsWith('.')) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      const inside = `${path}/`;
      if (inside.startsWith(prefix) || prefix.startsWith(inside)) yield* walkFolder(root, path, prefix, runner, signal);
    } else if (path.startsWith(prefix)) {
      batch.push(path);
      if (batch.length < BATCH) continue;
      yield* described(batch, runner);
      batch = [];
    }
  }
  yield* described(batch, runner);
}

async function* described(paths: readonly string[], runner: ViewRunner): AsyncGenerator<SinkFile> {
  if (paths.length === 0) return;
  const descriptions = await runner.run({ op: 'describe', paths });
  for (const [at, path] of paths.entries()) {
    const description = descriptions[at];
    if (description !== undefined) yield { key: keyAt(path), ...description };
    // A name that is no UTF-8 is read with a substitute and not found again: nothing of ours, but told of.
    else if (path.includes('\ufffd')) yield { key: keyAt(path), etag: undefined, length: 0, state: 'foreign' };
  }
}

/** A file at the top, beside the containers, is told of as a container with the empty name. */
function keyAt(path: string): Key {
  return parseKey(path);
}

async function* entriesOf(root: string, folder: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(`${root}/${folder}`, { bufferSize: 1024 });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw error;
    if (folder === '') throw rootIsGone(root);
  }
}
