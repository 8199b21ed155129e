import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeDemoFederation } from '../../../cli/demo/federation.ts';
import { ensureFederation } from '../../../infra/local/default-federation.ts';
import { TRANSPORTS } from '../../../infra/local/services-options.ts';
import { loadFederation } from '../../../schema/federation/load-federation.ts';
import { temporaryFolder } from '../../infra/stack/temporary-folder.ts';

const ENV = {
  AZURE_STORAGE_ACCOUNT: 'devstoreaccount1',
  AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true',
  AZURE_SERVICEBUS_CONNECTION_STRING: 'Endpoint=sb://127.0.0.1;UseDevelopmentEmulator=true',
  AZURE_EVENTHUBS_CONNECTION_STRING: 'Endpoint=sb://127.0.0.1;UseDevelopmentEmulator=true',
  ISTHMUS_VAST_ROOT: '/vast',
};

describe("the demo's federation of an account with a hierarchical namespace", () => {
  it.each(TRANSPORTS)(
    'is the one of the embedded stack with a canary and a rule for an archive, and stays when the stack starts (%s)',
    async (triggers) => {
      await using temporary = await temporaryFolder();
      const [own, usual] = ['own', 'usual'].map((name) => path.join(temporary.folder, `${name}.yaml`)) as [
        string,
        string,
      ];
      await writeDemoFederation(own, { hierarchical: true, triggers });
      for (const file of [own, usual]) await ensureFederation(file, { hierarchical: true, triggers });
      const { sources, ...federation } = await loadFederation(own, ENV);
      const expected = await loadFederation(usual, ENV);
      const { rules } = expected;
      expect({ ...federation, rules, sources: expected.sources }).toEqual(expected);
      expect(federation.rules).toEqual([...rules, expect.objectContaining({ prefix: 'archive/', sink: 'vast' })]);
      expect(sources).toMatchObject({ ...expected.sources, canary: { container: 'inventory' } });
    },
  );
});
