import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureFederation } from '../../../infra/local/default-federation.ts';
import { type StackOptions, startStack } from '../../../infra/local/stack.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('the embedded stack', () => {
  it.each([true, false])(
    'does not start where its federation says of the account that it is of the other kind (hierarchical: %s)',
    async (says) => {
      await using temporary = await temporaryFolder();
      const config = path.join(temporary.folder, 'federation.yaml');
      await ensureFederation(config, { hierarchical: says, triggers: 'service-bus' });
      expect(await readFile(config, 'utf8')).toMatch(says ? /hierarchical: true/ : /changeFeed:/);
      const starting = startStack({ state: temporary.folder, ports: 'free', worker: true, hierarchical: !says });
      await expect(starting).rejects.toMatchObject({
        code: 'ISTHMUS_CONFIG',
        message: expect.stringContaining(says ? 'start with --hierarchical' : 'start without --hierarchical'),
      });
    },
  );

  it('says of a state folder that another start made what to do next, and has removed nothing', async () => {
    await using temporary = await temporaryFolder();
    const { folder } = temporary;
    const config = path.join(folder, 'federation.yaml');
    const kept = path.join(folder, 'vast', 'kept');
    await mkdir(path.dirname(kept));
    await writeFile(kept, '');
    const refused = async (options: StackOptions): Promise<string> => {
      const failure: unknown = await startStack({ state: folder, ports: 'free', worker: true, ...options }).catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code: 'ISTHMUS_CONFIG' });
      return failure instanceof Error ? failure.message : '';
    };
    await ensureFederation(config, { hierarchical: false, triggers: 'service-bus' });
    expect(await refused({ hierarchical: true })).toMatch(/start without --hierarchical.*--fresh.*--state/);

    await writeFile(config, `${await readFile(config, 'utf8')}# mine\n`);
    for (const options of [{ hierarchical: true }, { triggers: 'event-hubs' }] as const) {
      const said = await refused({ ...options, fresh: true });
      expect(said).toMatch(/change .*federation.yaml, .*--state/);
      expect(said).not.toContain('--fresh');
    }
    expect(await readFile(kept, 'utf8')).toBe('');
  });
});
