import { opendir } from 'node:fs/promises';
import { KEEP_BYTES_MS } from '../../../schema/ports/sink.ts';
import { errorCode, type Files } from './files.ts';
import { isKept } from './kept-bytes.ts';
import { type Marks, marksOf } from './marks.ts';
import { TEMP_FOLDER, type ViewSettings } from './settings.ts';
import { isThreadFolder } from './temp-files.ts';

/** Names that are looked at one after the other, each a round trip over NFS, before other work of this process has its turn. */
const PAGE = 8;

/**
 * Removes temporary files whose last change is longer ago, and kept bytes that nobody asked for. There may be as many of
 * those as a directory had files before it was renamed: they are gone through in pages, and never held at once.
 *
 * @returns after each file that was looked at, how many of the former went so far.
 */
export async function* cleanTemps(settings: ViewSettings, files: Files, olderThanMs: number): AsyncGenerator<number> {
  const marks = marksOf(settings, files, () => '');
  let removed = 0;
  for await (const path of tempsIn(settings.root, TEMP_FOLDER)) {
    if (cleanOne(settings, files, marks, path, olderThanMs) && !isKept(path)) removed++;
    yield removed;
  }
}

/** Paths of what lies in the folder and in those of the threads. Another folder there is not Isthmus's. */
async function* tempsIn(root: string, folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(`${root}/${folder}`, { bufferSize: PAGE })) {
    const path = `${folder}/${entry.name}`;
    if (folder === TEMP_FOLDER && entry.isDirectory() && isThreadFolder(entry.name)) yield* tempsIn(root, path);
    else yield path;
  }
}

function cleanOne({ root }: ViewSettings, files: Files, marks: Marks, path: string, olderThanMs: number): boolean {
  const at = `${root}/${path}`;
  const stat = files.stat(at);
  const age = isKept(path) ? Math.max(olderThanMs, KEEP_BYTES_MS) : olderThanMs;
  if (stat === undefined || stat.ctimeMs > Date.now() - age || stat.isDirectory()) return false;
  try {
    files.unlink(at);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  if (isKept(path)) marks.forget(path);
  return true;
}
