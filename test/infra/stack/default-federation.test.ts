import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureFederation } from '../../../infra/local/default-federation.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('the federation file of a stack that was given none', () => {
  it('9: names a canary where the account has no feed against which triggers could be held', async () => {
    await using temporary = await temporaryFolder();
    const file = path.join(temporary.folder, 'federation.yaml');
    await ensureFederation(file, { hierarchical: true, triggers: 'service-bus' });
    expect(await readFile(file, 'utf8')).toMatch(/canary:.*\n {4}container: inventory/);
    await ensureFederation(file, { hierarchical: false, triggers: 'service-bus', fresh: true });
    expect(await readFile(file, 'utf8')).not.toContain('canary');
  });

  it('is written anew for another kind of account where all is to be, and where nobody has edited it', async () => {
    await using temporary = await temporaryFolder();
    const file = path.join(temporary.folder, 'federation.yaml');
    const kind = async () => ((await readFile(file, 'utf8')).includes('hierarchical: true') ? 'hierarchical' : 'flat');
    const flat = { hierarchical: false, triggers: 'service-bus' } as const;
    const hierarchical = { ...flat, hierarchical: true };
    expect(await ensureFederation(file, flat)).toBe('as-written');
    expect([await ensureFederation(file, hierarchical), await kind()]).toEqual(['as-written', 'flat']);
    expect([await ensureFederation(file, { ...hierarchical, fresh: true }), await kind()]).toEqual([
      'as-written',
      'hierarchical',
    ]);
    await writeFile(file, `${await readFile(file, 'utf8')}# mine\n`);
    expect([await ensureFederation(file, { ...flat, fresh: true }), await kind()]).toEqual(['edited', 'hierarchical']);
  });
});
