import { describe, expect, it } from 'vitest';
import { canaryKey, rulesOf } from '../../schema/federation/canary.ts';
import { federationSchema } from '../../schema/federation/federation.ts';
import { testIndex } from '../support/postgres.ts';
import { writeReport } from './support/report.ts';
import { makeWorld } from './support/world.ts';

const federation = federationSchema.parse({
  name: 'lake',
  account: { name: 'contoso' },
  sources: { serviceBus: { queue: 'q', namespace: 'n' }, canary: { container: 'one' } },
  sinks: { vast: { kind: 'fileView', root: '/nowhere' } },
  rules: [{ prefix: '', authority: 'blob', sink: 'vast' }],
});

describe('11: the canary', () => {
  it("11: is nobody's name to a listing and to a report; its neighbours are what they are", async () => {
    await using db = await testIndex();
    const world = await makeWorld(db.index, rulesOf(federation));
    const key = canaryKey(federation);
    expect(key).toEqual({ container: 'one', name: '.isthmus/canary-lake' });
    const neighbours = ['.isthmus/canary-lak', '.isthmus/canary-lake2', '.isthmus/canary-lake/x', 'a'];
    for (const name of [...neighbours, '.isthmus/canary-lake']) world.blobs.put('one', name);
    world.blobs.put('two', '.isthmus/canary-lake');
    const names = [...neighbours.map((name) => `one/${name}`), 'two/.isthmus/canary-lake'].toSorted();
    expect(await world.reconcile()).toMatchObject({ judge: 'listing', outcome: 'complete', listed: 5, applied: 5 });
    expect((await world.names()).toSorted()).toEqual(names);

    world.blobs.later(3_600_000);
    world.blobs.put('one', '.isthmus/canary-lake', 'again');
    writeReport(world.blobs);
    expect(await world.reconcile()).toMatchObject({ judge: 'inventory', outcome: 'complete', agreed: 5, looks: 0 });
    expect((await world.names()).toSorted()).toEqual(names);
    expect(world.blobs.looks).not.toContain('one/.isthmus/canary-lake');
  });
});
