import { describe, expect, it } from 'vitest';
import { AzureCanary } from '../../../activities/azure/azure-canary.ts';
import { testAzurite } from './test-azurite.ts';

const signal = new AbortController().signal;
const KEY = { container: 'lake', name: '.isthmus/canary-lake' };

describe('the canary in an account', () => {
  it('is written anew each time under its own name, and fails with what the account said', async () => {
    await using azurite = await testAzurite();
    const canary = new AzureCanary(azurite.service);
    const refused = canary.write(KEY, 'one', signal);
    await expect(refused).rejects.toMatchObject({ code: 'ISTHMUS_SOURCE_UNAVAILABLE' });
    await expect(refused).rejects.toThrow('write the canary lake/.isthmus/canary-lake: 404: ContainerNotFound');

    const container = azurite.service.getContainerClient(KEY.container);
    await container.create();
    const blob = container.getBlobClient(KEY.name);
    const etags: (string | undefined)[] = [];
    for (const text of ['one', 'two, é']) {
      await canary.write(KEY, text, signal);
      expect((await blob.downloadToBuffer()).toString('utf8')).toBe(text);
      etags.push((await blob.getProperties()).etag);
    }
    expect(new Set(etags).size).toBe(2);
  });
});
