import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPromtool } from '../../../infra/local/find-prometheus.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function executable(file: string, text = '#!/bin/sh\n'): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

describe('finding promtool', () => {
  it('takes the one on the PATH before the one in the cache', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const onPath = await executable(path.join(folder, 'bin/promtool'));
    const cached = await executable(path.join(folder, 'cache/isthmus/promtool/promtool'));
    const env = { PATH: `/nowhere:${path.join(folder, 'bin')}`, XDG_CACHE_HOME: path.join(folder, 'cache') };
    expect(await findPromtool({ env })).toEqual({ path: onPath, origin: 'PATH' });
    expect(await findPromtool({ env: { ...env, PATH: '' } })).toEqual({ path: cached, origin: 'cache' });
  });

  it('builds it with Go from a module of its own, says so, and leaves nothing half-built', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const steps = ['case "$1" in', 'mod) : > go.mod ;;', 'build) : > "$3" && /bin/chmod +x "$3" ;;', 'esac'];
    await executable(path.join(folder, 'bin/go'), `#!/bin/sh\n${steps.join('\n')}\n`);
    const said: string[] = [];
    const env = { PATH: path.join(folder, 'bin'), HOME: folder };
    const found = await findPromtool({ env, onProgress: (doing) => said.push(doing) });
    expect(found).toEqual({ path: path.join(folder, '.cache/isthmus/promtool/promtool'), origin: 'go' });
    expect(said).toHaveLength(1);
    expect(await readdir(path.join(folder, '.cache/isthmus/promtool'))).toEqual(['promtool']);
  });

  it('says what was tried where there is none to be had', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const env = { PATH: '', XDG_CACHE_HOME: folder };
    expect(await findPromtool({ env })).toEqual({
      path: undefined,
      tried: ['no `promtool` on the PATH (empty)', `no ${folder}/isthmus/promtool/promtool`, 'no Go to build it with'],
    });
    await executable(path.join(folder, 'bin/go'), '#!/bin/sh\necho "go: no such module" >&2\nexit 1\n');
    const refused = await findPromtool({ env: { ...env, PATH: path.join(folder, 'bin') } });
    expect(refused).toMatchObject({ path: undefined, tried: { 2: expect.stringContaining('go: no such module') } });
  });
});
