import { opendir } from 'node:fs/promises';
import { TEMP_FOLDER } from './settings.ts';
import { isThreadFolder } from './temp-files.ts';
import type { ViewRunner } from './view-port.ts';

/** Names that a thread looks at before stubs have their turn, each a round trip over NFS or two. */
const BATCH = 16;

/**
 * Removes temporary files whose last change is longer ago, and kept bytes that nobody asked for. There may be as many of
 * those as a directory had files before it was renamed: they are gone through in batches, and never held at once.
 *
 * @returns after each batch, how many of the former went so far.
 */
export async function* cleanTemps(root: string, runner: ViewRunner, olderThanMs: number): AsyncGenerator<number> {
  let removed = 0;
  let paths: string[] = [];
  for await (const path of tempsIn(root, TEMP_FOLDER)) {
    paths.push(path);
    if (paths.length < BATCH) continue;
    removed += await runner.run({ op: 'clean', paths, olderThanMs });
    yield removed;
    paths = [];
  }
  if (paths.length > 0) removed += await runner.run({ op: 'clean', paths, olderThanMs });
  yield removed;
}

/** Paths of what lies in the folder and in those of the threads. Another folder there is not Isthmus's. */
async function* tempsIn(root: string, folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(`${root}/${folder}`)) {
    const path = `${folder}/${entry.name}`;
    if (folder === TEMP_FOLDER && entry.isDirectory() && isThreadFolder(entry.name)) yield* tempsIn(root, path);
    else yield path;
  }
}
