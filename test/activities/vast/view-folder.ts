import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type FileViewOptions, FileViewSink } from '../../../activities/vast/file-view/file-view-sink.ts';
import { TEMP_FOLDER } from '../../../activities/vast/file-view/settings.ts';
import { isThreadFolder } from '../../../activities/vast/file-view/temp-files.ts';
import { formatKey, type Key } from '../../../namespace/key.ts';
import type { TestSink } from './sink-contract.ts';

const STRANGER = 65_534;
const run = promisify(execFile);

export interface TestView extends TestSink {
  readonly sink: FileViewSink;
  readonly root: string;
}

/** A file view in a throwaway folder. Its files are read as another user would. */
export async function testView(options: Partial<FileViewOptions> = {}): Promise<TestView> {
  const folder = await mkdtemp(join(tmpdir(), 'isthmus-view-'));
  await chmod(folder, 0o755);
  const root = join(folder, 'root');
  await mkdir(root);
  // No write is broken off because the machine stood still, where it is not said.
  const sink = new FileViewSink({ root, threads: 2, writeMs: 60_000, ...options });
  return {
    sink,
    root,
    read: (key: Key) => readAsStranger(`${root}/${formatKey(key)}`),
    async [Symbol.asyncDispose]() {
      await sink.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What lies in the folder of temporary files, and in those of the threads, as paths below it. */
export function temporaryFiles(root: string): readonly string[] {
  const folder = `${root}/${TEMP_FOLDER}`;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !(entry.isDirectory() && isThreadFolder(entry.name)))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Reads a file as a user who owns nothing; where this process may not change users, as its own. */
export async function readAsStranger(path: string): Promise<Buffer> {
  const code = `process.setuid?.call(process, ${STRANGER}); process.stdout.write(require('fs').readFileSync(process.argv[1]))`;
  const script = process.getuid?.() === 0 ? code : code.slice(code.indexOf(';') + 1);
  const { stdout } = await run(process.execPath, ['-e', script, path], { encoding: 'buffer', maxBuffer: 1 << 28 });
  return stdout;
}
