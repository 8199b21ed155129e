import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ensureFederation } from '../../../infra/local/default-federation.ts';
import { startStack } from '../../../infra/local/stack.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('the embedded stack', () => {
  it.each([true, false])(
    'does not start where its federation says of the account that it is of the other kind (hierarchical: %s)',
    async (says) => {
      await using temporary = await temporaryFolder();
      const config = path.join(temporary.folder, 'federation.yaml');
      await ensureFederation(config, says, 'service-bus');
      expect(await readFile(config, 'utf8')).toMatch(says ? /hierarchical: true/ : /changeFeed:/);
      const starting = startStack({ state: temporary.folder, ports: 'free', worker: true, hierarchical: !says });
      await expect(starting).rejects.toMatchObject({
        code: 'ISTHMUS_CONFIG',
        message: expect.stringContaining(says ? 'start with --hierarchical' : 'start without --hierarchical'),
      });
    },
  );
});
