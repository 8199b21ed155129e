import { describe, expect, it } from 'vitest';
import { lookActivities } from '../../activities/answer-looks.ts';
import { applyUnderRules } from '../../activities/apply-under-rules.ts';
import type { BlobEvent } from '../../namespace/change.ts';
import type { Key } from '../../namespace/key.ts';
import { parseSequencer } from '../../namespace/sequencer.ts';
import { applyEvents } from '../../schema/index/apply-events.ts';
import { claimLooks } from '../../schema/index/looks.ts';
import { explainEntry } from '../../schema/index/queries.ts';
import type { BlobSource, LookResult } from '../../schema/ports/blob-source.ts';
import { idleClock } from '../support/idle-clock.ts';
import { testIndex } from '../support/postgres.ts';
import { runActivity, testServices } from './test-services.ts';

function touch(container: string, name: string, number: number): BlobEvent {
  return {
    kind: 'event',
    source: 'trigger',
    container,
    name,
    effect: 'touch',
    attributes: undefined,
    sequencer: parseSequencer(String(number)),
    epoch: undefined,
    time: Date.now() - 60_000,
    eventId: `id-${number}`,
    api: 'SetBlobMetadata',
  };
}

/** Blobs that answer as they are told, and count how often they are asked. */
function fakeBlobs(answer: (key: Key) => LookResult) {
  const asked: string[] = [];
  const look: BlobSource['look'] = async (key) => {
    asked.push(key.name);
    return answer(key);
  };
  return { asked, source: { look } as BlobSource };
}

describe('looks', () => {
  it('write what was found, leave a tombstone for what was not, and take the whole container with it where that is gone', async () => {
    await using db = await testIndex();
    const time = Date.now();
    const attributes = { etag: '0x1', length: 7, metadata: { a: 'b' } };
    const blobs = fakeBlobs(({ container, name }) => {
      if (container === 'gone') return { kind: 'container-gone', time };
      return name === 'found' ? { kind: 'found', attributes, time } : { kind: 'absent', time };
    });
    const services = await testServices(db.index, { blobs: blobs.source, clock: idleClock() });
    const events = [touch('c', 'found', 1), touch('c', 'absent', 2), touch('gone', 'x', 3)];
    await applyUnderRules(services, (tx, scope) => applyEvents(tx, { ...scope, events }));
    expect(await runActivity(() => lookActivities(services).answerLooks({ seconds: 0.5 }))).toEqual({
      answered: 3,
      pending: 0,
    });
    const explain = (key: Key) => explainEntry(db.index.db, services.account.id, key);
    expect(await explain({ container: 'c', name: 'found' })).toMatchObject({
      isLive: true,
      attributes,
      lookDue: false,
    });
    expect(await explain({ container: 'c', name: 'absent' })).toMatchObject({ isLive: false, lookDue: false });
    expect(await explain({ container: 'gone', name: 'x' })).toMatchObject({
      isLive: false,
      containerState: { goneAt: time },
    });
  });

  it('7: conclude nothing from a failure, and ask again later', async () => {
    await using db = await testIndex();
    let up = false;
    let now = 0;
    const blobs = fakeBlobs(() => {
      // The turn is over with its first look: the next, which is due soon, is another turn's.
      now += 1_000;
      if (!up) throw new Error('503');
      return { kind: 'found', attributes: { etag: '0x1', length: 7 }, time: Date.now() };
    });
    const base = await testServices(db.index, { blobs: blobs.source });
    const services = { ...base, clock: { ...base.clock, now: () => now } };
    const events = [touch('c', 'n', 1)];
    await applyUnderRules(services, (tx, scope) => applyEvents(tx, { ...scope, events }));
    const { answerLooks } = lookActivities(services);
    expect(await runActivity(() => answerLooks({ seconds: 1 }))).toEqual({ answered: 0, pending: 1 });
    expect(blobs.asked).toHaveLength(1);
    const waiting = await explainEntry(db.index.db, services.account.id, { container: 'c', name: 'n' });
    expect(waiting).toMatchObject({ lookDue: true, lookError: '503' });
    up = true;
    // Of a turn that idles until the look is due.
    expect(await runActivity(() => answerLooks({ seconds: 1 }))).toEqual({ answered: 1, pending: 0 });
    expect(blobs.asked).toHaveLength(2);
  });

  it('that a turn which is cancelled has claimed are free again at once, and what was answered counts', async () => {
    await using db = await testIndex();
    const asked = Promise.withResolvers<void>();
    let looks = 0;
    const look: BlobSource['look'] = async (_, signal) => {
      // The first is answered; then as many as are asked at a time.
      if (++looks === 33) asked.resolve();
      if (looks > 1) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return { kind: 'found', attributes: { etag: '0x1', length: 7 }, time: Date.now() };
    };
    const services = await testServices(db.index, { blobs: { look } as BlobSource });
    const events = Array.from({ length: 100 }, (_, at) => touch('c', `n${at}`, at + 1));
    await applyUnderRules(services, (tx, scope) => applyEvents(tx, { ...scope, events }));
    const turn = runActivity(() => lookActivities(services).answerLooks({ seconds: 600 }), asked.promise);
    expect(await turn).toEqual({ answered: 1, pending: 99 });
    const free = await claimLooks(db.index, services.account.id, 500, 1_000);
    expect(free).toHaveLength(99);
  });

  it('are answered many at a time, each once', async () => {
    await using db = await testIndex();
    const blobs = fakeBlobs(() => ({ kind: 'found', attributes: { etag: '0x1', length: 7 }, time: Date.now() }));
    const services = await testServices(db.index, { blobs: blobs.source, clock: idleClock() });
    const events = Array.from({ length: 1_200 }, (_, at) => touch('c', `n${at}`, at + 1));
    await applyUnderRules(services, (tx, scope) => applyEvents(tx, { ...scope, events }));
    const workers = [lookActivities(services), lookActivities(services)];
    let answered = 0;
    for (let pending = 1; pending > 0; ) {
      const turns = await Promise.all(workers.map(({ answerLooks }) => runActivity(() => answerLooks({ seconds: 1 }))));
      answered += turns.reduce((sum, turn) => sum + turn.answered, 0);
      pending = Math.min(...turns.map((turn) => turn.pending));
    }
    expect(answered).toBe(1_200);
    expect(new Set(blobs.asked).size).toBe(blobs.asked.length);
  });
});
