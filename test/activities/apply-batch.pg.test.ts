import { describe, expect, it } from 'vitest';
import { applyBatch } from '../../activities/apply-batch.ts';
import { applyUnderRules } from '../../activities/apply-under-rules.ts';
import { readBatch } from '../../activities/azure/trigger-batch.ts';
import { compileRules } from '../../namespace/authority.ts';
import { blobSubject } from '../../schema/events/blob-subject.ts';
import { publishRules } from '../../schema/index/authority-revisions.ts';
import { testIndex } from '../support/postgres.ts';
import { testServices } from './test-services.ts';
import { blobEvent } from './triggers/blob-event.ts';

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
    const batch = readBatch([{ id: 'm', body, enqueuedAt: Date.now(), deliveryCount: 1 }], services.account);
    const counts = await applyUnderRules({ ...services, rules: async () => compiled }, (tx, scope) =>
      applyBatch(tx, scope, batch),
    );
    expect(counts).toMatchObject({ records: 7, applied: 4, superseded: 0, ignored: { 'no-rule': 3 } });
    const noted = await db.index.db.selectFrom('subtrees').select('head').orderBy('head').execute();
    expect(noted.map(({ head }) => head)).toEqual(['elsewhere', 'in', 'in/side/d', 'in/side/f']);
  });

  it('1: believes no event that tells of a time to come: the blob is looked at, and no directory ends then', async () => {
    await using db = await testIndex();
    const services = await testServices(db.index, {});
    const { account } = services;
    const rules = [{ prefix: 'lake/', authority: 'blob', sink: 'vast' }] as const;
    const { revision } = await publishRules(db.index, account.id, rules, 'a test');
    const compiled = { index: compileRules({ revision, rules }), revision };
    const enqueuedAt = Date.now();
    const apply = (events: readonly object[]) => {
      const batch = readBatch([{ id: 'm', body: events, enqueuedAt, deliveryCount: 1 }], account);
      return applyUnderRules({ ...services, rules: async () => compiled }, (tx, scope) => applyBatch(tx, scope, batch));
    };
    const toCome = { eventTime: '2099-01-01T00:00:00Z' };
    expect(
      await apply([{ ...blobEvent(1), subject: blobSubject({ container: 'lake', name: 'd/ghost' }), ...toCome }]),
    ).toMatchObject({ looks: 1 });
    const entries = await db.index.db.selectFrom('entries').select(['live', 'look_due', 'seen']).execute();
    expect(entries).toEqual([{ live: false, look_due: true, seen: 0 }]);
    expect(await apply([{ ...deleted('d'), ...toCome }])).toMatchObject({ applied: 1 });
    const noted = await db.index.db.selectFrom('subtrees').select('event_time').execute();
    expect(noted.map((each) => each.event_time)).toEqual([enqueuedAt]);
  });
});
