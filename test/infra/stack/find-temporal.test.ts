import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findTemporal } from '../../../infra/local/find-temporal.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function executable(file: string, text = '#!/bin/sh\n'): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await chmod(file, 0o755);
}

const noNetwork = (): Promise<string> => Promise.reject(new Error('no network'));

describe('finding the Temporal CLI', () => {
  it('takes the one on the PATH before the one in the cache', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    await executable(path.join(folder, 'bin/temporal'));
    await executable(path.join(folder, 'cache/isthmus/temporal/temporal'));
    const env = { PATH: `/nowhere:${path.join(folder, 'bin')}`, XDG_CACHE_HOME: path.join(folder, 'cache') };
    expect(await findTemporal({ env, download: noNetwork })).toEqual({
      path: path.join(folder, 'bin/temporal'),
      origin: 'PATH',
    });
    expect(await findTemporal({ env: { ...env, PATH: '' }, download: noNetwork })).toEqual({
      path: path.join(folder, 'cache/isthmus/temporal/temporal'),
      origin: 'cache',
    });
  });

  it('keeps what was downloaded in the cache, and says that it downloads', async () => {
    await using temporary = await temporaryFolder();
    const env = { PATH: '', HOME: temporary.folder };
    const said: string[] = [];
    const download = async (folder: string): Promise<string> => {
      await executable(path.join(folder, 'temporal-cli'));
      return path.join(folder, 'temporal-cli');
    };
    const found = await findTemporal({ env, download, onProgress: (doing) => said.push(doing) });
    expect(found).toEqual({
      path: path.join(temporary.folder, '.cache/isthmus/temporal/temporal'),
      origin: 'download',
    });
    expect(said).toEqual(['downloading the Temporal CLI']);
    expect((await findTemporal({ env, download: noNetwork })).origin).toBe('cache');
  });

  it('builds it with Go where there is nothing to download, and leaves nothing half-built', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    await executable(
      path.join(folder, 'bin/go'),
      '#!/bin/sh\necho built > "$GOBIN/temporal" && /bin/chmod +x "$GOBIN/temporal"\n',
    );
    const env = { PATH: path.join(folder, 'bin'), HOME: folder };
    expect((await findTemporal({ env, download: noNetwork })).origin).toBe('go');
    expect(await readdir(path.join(folder, '.cache/isthmus/temporal'))).toEqual(['temporal']);
  });

  it('says what was tried and what to install where there is none to be had', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const env = { PATH: '', XDG_CACHE_HOME: folder };
    const failed = findTemporal({ env, download: noNetwork });
    await expect(failed).rejects.toMatchObject({ code: 'ISTHMUS_NO_TEMPORAL' });
    await expect(failed).rejects.toThrow(
      [
        'There is no Temporal server to be had. Tried:',
        '  - no `temporal` on the PATH (empty)',
        `  - no ${folder}/isthmus/temporal/temporal`,
        '  - download failed: no network',
        '  - no Go to build it with',
        'Install the Temporal CLI',
      ].join('\n'),
    );
    await executable(path.join(folder, 'bin/go'), '#!/bin/sh\necho "go: no such module" >&2\nexit 1\n');
    await expect(
      findTemporal({ env: { ...env, PATH: path.join(folder, 'bin') }, download: noNetwork }),
    ).rejects.toThrow(/bin\/go install .*` failed: go: no such module/);
  });
});
