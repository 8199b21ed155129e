import { describe, expect, it } from 'vitest';
import { applyBatch } from '../../activities/apply-batch.ts';
import { applyUnderRules } from '../../activities/apply-under-rules.ts';
import { readBatch } from '../../activities/azure/trigger-batch.ts';
import { compileRules } from '../../namespace/authority.ts';
import { blobSubject } from '../../schema/events/blob-subject.ts';
import { publishRules } from '../../schema/index/authority-revisions.ts';
import { testIndex } from '../support/postgres.ts';
import { testServices } from './test-services.ts';

function directory(id: string, type: string, name: string, data: object) {
  const subject = blobSubject({ container: 'lake', name });
  const topic = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake';
  return { id, topic, subject, eventType: `Microsoft.Storage.${type}`, eventTime: new Date().toISOString(), data };
}

const deleted = (name: string) =>
  directory(`deleted ${name}`, 'DirectoryDeleted', name, { api: 'DeleteDirectory', recursive: 'true' });
const renamed = (from: string, to: string) =>
  directory(`renamed ${from}`, 'DirectoryRenamed', to, {
    api: 'RenameDirectory',
    sourceBlobUrl: `https://lake.blob.core.windows.net/lake/${from}`,
  });

describe('a batch of triggers', () => {
  it('notes of the directories that went those that a rule holds or lies in, by either of their names', async () => {
    await using db = await testIndex();
    const services = await testServices(db.index, {});
    const rules = [{ prefix: 'lake/in/side/', authority: 'blob', sink: 'vast' }] as const;
    const { revision } = await publishRules(db.index, services.account.id, rules, 'a test');
    const compiled = { index: compileRules({ revision, rules }), revision };
    const events = [
      ...[deleted('in/side/d'), deleted('in'), renamed('elsewhere', 'in/side/e'), renamed('in/side/f', 'away')],
      ...[deleted('in/sideways'), deleted('other'), renamed('elsewhere/g', 'nowhere/g')],
    ];
    const body = JSON.stringify(events);
    const batch = readBatch([{ id: 'm', body, enqueuedAt: 0, deliveryCount: 1 }], 'lake');
    const counts = await applyUnderRules({ ...services, rules: async () => compiled }, (tx, scope) =>
      applyBatch(tx, scope, batch),
    );
    expect(counts).toMatchObject({ records: 7, applied: 4, superseded: 0, ignored: { 'no-rule': 3 } });
    const noted = await db.index.db.selectFrom('subtrees').select('head').orderBy('head').execute();
    expect(noted.map(({ head }) => head)).toEqual(['elsewhere', 'in', 'in/side/d', 'in/side/f']);
  });
});
