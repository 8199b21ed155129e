import { describe, expect, it } from 'vitest';
import { deadLetterActivities } from '../../../activities/dead-letters/dead-letter-intake.ts';
import { blobSubject } from '../../../schema/events/blob-subject.ts';
import type { Index } from '../../../schema/index/database.ts';
import { countEntries } from '../../../schema/index/queries.ts';
import { testIndex } from '../../support/postgres.ts';
import { runActivity, testServices } from '../test-services.ts';
import { MemoryBlobs } from './memory-blobs.ts';

const HOUR = 3_600_000;

function dead(number: number) {
  const eTag = `0x${number.toString(16)}`;
  const sequencer = number.toString(16).padStart(48, '0');
  return {
    id: `id-${number}`,
    topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake',
    subject: blobSubject({ container: 'c', name: `blob-${number}` }),
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: '2026-11-01T13:00:00Z',
    data: { api: 'PutBlob', eTag, contentLength: 1, blobType: 'BlockBlob', sequencer },
    deadLetterReason: 'MaxDeliveryAttemptsExceeded',
  };
}

/** The intake of a container, on a clock that goes on when the test says so. */
async function intake(index: Index, blobs: MemoryBlobs) {
  const time = { now: Date.UTC(2026, 10, 3, 0, 30) };
  const clock = { now: () => time.now, sleep: async () => {} };
  const services = await testServices(index, { blobs: blobs.source, clock });
  const deadLetters = { container: 'dead', pollSeconds: 60 };
  const federation = { ...services.federation, sources: { ...services.federation.sources, deadLetters } };
  const { readDeadLetters } = deadLetterActivities({ ...services, federation });
  return {
    time,
    /** What one turn lists. */
    async turn(): Promise<readonly string[]> {
      blobs.listed.length = 0;
      await runActivity(() => readDeadLetters({ seconds: 10 }));
      return [...blobs.listed];
    },
    live: async () => (await countEntries(index.db, services.account.id)).live,
    remembered: async () =>
      (await index.db.selectFrom('dead_letter_blobs').select('name').orderBy('name').execute()).map(({ name }) => name),
    /** As if those that are remembered had been read so long ago. */
    age: (ms: number) =>
      index.db
        .updateTable('dead_letter_blobs')
        .set({ read_at: Date.now() - ms })
        .execute(),
  };
}

describe('the container of what Event Grid gave up on', () => {
  it('8: is listed by its last days where it is large, and whole once an hour, so that nothing stays unread', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    blobs.pageSize = 5;
    for (let at = 0; at < 50; at++) blobs.put(`ONE/2026/10/${(at % 28) + 1}/5/${at}.json`, [dead(at + 1)]);
    const { time, turn, live } = await intake(db.index, blobs);
    expect(await turn()).toEqual(['']);
    expect(await live()).toBe(50);
    // Around midnight, by any clock.
    const days = ['ONE/2026/11/1/', 'ONE/2026/11/2/', 'ONE/2026/11/3/'];
    expect(await turn()).toEqual(days);
    blobs.put('ONE/2026/11/2/23/new.json', [dead(51)]);
    await turn();
    expect(await live()).toBe(51);
    // By a clock that is wrong, by a hand, and of an event subscription that wrote none before.
    blobs.put('ONE/2026/10/20/1/late.json', [dead(52)]);
    blobs.put('by-hand.json', [dead(53)]);
    blobs.put('TWO/2026/11/3/0/first.json', [dead(54)]);
    await turn();
    expect(await live()).toBe(51);
    time.now += HOUR;
    expect(await turn()).toEqual(['']);
    expect(await live()).toBe(54);
    expect(await turn()).toEqual([...days, ...days.map((day) => day.replace('ONE', 'TWO'))]);
  });

  it('is listed whole where that needs no more requests, whatever its names are like', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    blobs.put('ONE/2026/11/2/5/a.json', [dead(1)]);
    const small = await intake(db.index, blobs);
    expect([await small.turn(), await small.turn()]).toEqual([[''], ['']]);
    blobs.remove('ONE/2026/11/2/5/a.json');
    blobs.pageSize = 1;
    for (let at = 0; at < 9; at++) blobs.put(`copied-${at}.json`, [dead(at + 2)]);
    const foreign = await intake(db.index, blobs);
    expect([await foreign.turn(), await foreign.turn()]).toEqual([[''], ['']]);
    expect(await foreign.live()).toBe(10);
  });

  it('is remembered for as long as its blobs are there, and forgotten days after they are gone', async () => {
    await using db = await testIndex();
    const blobs = new MemoryBlobs();
    blobs.put('a.json', [dead(1)]);
    blobs.put('b.json', [dead(2)]);
    const { time, turn, remembered, age } = await intake(db.index, blobs);
    await turn();
    blobs.remove('a.json');
    await age(36 * HOUR);
    time.now += HOUR;
    await turn();
    expect(await remembered()).toEqual(['a.json', 'b.json']);
    await age(72 * HOUR);
    // Not by a listing that came to no end.
    const ends = blobs.source.listBlobs;
    blobs.source.listBlobs = () => {
      throw new Error('the account is away');
    };
    time.now += HOUR;
    await expect(turn()).rejects.toThrow('away');
    blobs.source.listBlobs = ends;
    expect(await remembered()).toEqual(['a.json', 'b.json']);
    await turn();
    expect(await remembered()).toEqual(['b.json']);
    expect(blobs.reads).toEqual(['a.json', 'b.json']);
  });
});
