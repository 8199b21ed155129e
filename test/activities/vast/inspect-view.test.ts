import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectBeside } from '../../../activities/vast/file-view/inspect-beside.ts';
import { inspectView } from '../../../activities/vast/file-view/view-inspection.ts';
import { temporaryFolder } from '../../infra/stack/temporary-folder.ts';

describe('an inspected root', () => {
  it('is told as a process of its own finds it, and is as it was', async () => {
    await using temporary = await temporaryFolder();
    const root = path.join(temporary.folder, 'view');
    await mkdir(root);
    const found = await inspectBeside(root, new AbortController().signal);
    expect(found).toMatchObject({ kind: 'probed', capabilities: { sparse: true }, asRoot: process.getuid?.() === 0 });
    expect(found).toHaveProperty('space.freeBytes', expect.any(Number));
    expect(await readdir(root)).toEqual([]);
  });

  it('that a worker uses keeps what is there', async () => {
    await using temporary = await temporaryFolder();
    await mkdir(path.join(temporary.folder, '.isthmus-tmp'));
    await writeFile(path.join(temporary.folder, '.isthmus-tmp', '1'), '');
    expect(await inspectView(temporary.folder)).toMatchObject({ kind: 'probed' });
    expect(await readdir(temporary.folder, { recursive: true })).toEqual(['.isthmus-tmp', '.isthmus-tmp/1']);
  });

  it('that is not there is not made', async () => {
    await using temporary = await temporaryFolder();
    expect(await inspectView(path.join(temporary.folder, 'view'))).toEqual({ kind: 'missing' });
    expect(await readdir(temporary.folder)).toEqual([]);
  });

  it('that is a file is no folder', async () => {
    await using temporary = await temporaryFolder();
    const file = path.join(temporary.folder, 'view');
    await writeFile(file, '');
    expect(await inspectView(file)).toEqual({ kind: 'no-folder' });
  });

  it.skipIf(process.platform !== 'linux')('that takes no files is refused, by its own name', async () => {
    expect(await inspectView('/proc')).toMatchObject({
      kind: 'refused',
      code: expect.any(String),
      reason: expect.stringMatching(/^\/proc cannot be used: /),
    });
  });

  it('that does not answer is left, with its process', async () => {
    await using temporary = await temporaryFolder();
    const control = new AbortController();
    const inspecting = inspectBeside(temporary.folder, control.signal);
    control.abort(new Error('it did not answer'));
    await expect(inspecting).rejects.toThrow('it did not answer');
  });
});
