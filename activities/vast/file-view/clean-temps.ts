import { opendir } from 'node:fs/promises';
import { KEEP_BYTES_MS } from '../../../schema/ports/sink.ts';
import { errorCode, type Files } from './files.ts';
import { isKept } from './kept-bytes.ts';
import { type Marks, marksOf } from './marks.ts';
import { TEMP_FOLDER, type ViewSettings } from './settings.ts';

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
  for await (const { name } of await opendir(`${settings.root}/${TEMP_FOLDER}`, { bufferSize: PAGE })) {
    if (cleanOne(settings, files, marks, name, olderThanMs) && !isKept(name)) removed++;
    yield removed;
  }
}

function cleanOne({ root }: ViewSettings, files: Files, marks: Marks, name: string, olderThanMs: number): boolean {
  const path = `${TEMP_FOLDER}/${name}`;
  const at = `${root}/${path}`;
  const stat = files.stat(at);
  const age = isKept(name) ? Math.max(olderThanMs, KEEP_BYTES_MS) : olderThanMs;
  if (stat === undefined || stat.ctimeMs > Date.now() - age || stat.isDirectory()) return false;
  try {
    files.unlink(at);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  if (isKept(name)) marks.forget(path);
  return true;
}
