import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { epochAt } from '../../../namespace/epoch.ts';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { explainEntry, sumRevisions } from '../../../schema/index/queries.ts';
import { transact } from '../../../schema/index/transact.ts';
import { countViolations, recentViolations } from '../../../schema/index/violations.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { apply, del, put, scopeOf, T0 } from './page.ts';
import { storedEntries } from './read-index.ts';

let db: TestIndex;
beforeAll(async () => {
  db = await testIndex();
});
afterAll(() => db[Symbol.asyncDispose]());

describe('a page of events', () => {
  it('2: that tells an older create does not revive a tombstone', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('a', 1), del('a', 5)]);
    const counts = await apply(db.index, scope, [put('a', 1), put('a', 3)]);
    expect(counts).toMatchObject({ applied: 0, superseded: 2 });
    expect((await storedEntries(db.index, scope.account.id)).map(({ live }) => live)).toEqual([false]);
  });

  it('2: that tells a create after its delete leaves a tombstone, in one page or in two', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [del('one', 5), put('one', 3)]);
    await apply(db.index, scope, [del('two', 5)]);
    await apply(db.index, scope, [put('two', 3)]);
    expect((await storedEntries(db.index, scope.account.id)).map(({ live }) => live)).toEqual([false, false]);
  });

  it('1: that comes again applies nothing and writes nothing, small or large', async () => {
    const scope = await scopeOf(db.index);
    const small = [put('a', 1), put('a', 2), del('b', 3)];
    const large = Array.from({ length: 500 }, (_, at) => put(`n${at % 300}`, at + 10));
    for (const events of [small, large]) {
      const first = await apply(db.index, scope, events);
      expect(first.applied + first.superseded).toBe(events.length);
      const revisions = await sumRevisions(db.index.db, scope.account.id);
      const again = await apply(db.index, scope, events);
      expect(again).toMatchObject({ applied: 0, superseded: events.length, looks: 0 });
      expect(await sumRevisions(db.index.db, scope.account.id)).toBe(revisions);
    }
  });

  it('1: in which most is old and some is new applies what is new', async () => {
    const scope = await scopeOf(db.index);
    const old = Array.from({ length: 300 }, (_, at) => put(`n${at}`, at + 1));
    await apply(db.index, scope, old);
    const news = [put('fresh', 400), put('n7', 401), put('n7', 402), put('n8', 403, { effect: 'touch' })];
    const counts = await apply(db.index, scope, [...old, ...news]);
    expect(counts).toMatchObject({ applied: 4, superseded: 300, looks: 1 });
  });

  it('5: under a rule that gives VAST the authority is recorded as violations, once, and changes nothing', async () => {
    const scope = await scopeOf(db.index, [
      { prefix: 'lake/', authority: 'blob', sink: 'vast' },
      { prefix: 'lake/theirs/', authority: 'vast', sink: 'vast' },
    ]);
    const events = [put('theirs/a', 1), put('ours', 2), put('x', 3, { container: 'elsewhere' })];
    const counts = await apply(db.index, scope, events);
    expect(counts).toMatchObject({ applied: 1, violations: 1, ignored: { 'vast-has-authority': 1, 'no-rule': 1 } });
    await apply(db.index, scope, events);
    expect(await countViolations(db.index.db, scope.account.id)).toBe(1);
    expect(await recentViolations(db.index.db, scope.account.id, 10)).toMatchObject([
      { container: 'lake', name: 'theirs/a', changeEtag: '0x1', changeLength: 1, entryEtag: undefined },
    ]);
    expect((await storedEntries(db.index, scope.account.id)).map(({ name }) => name)).toEqual(['ours']);
  });

  it('refuses names that Postgres cannot hold, writes them down, and applies the rest', async () => {
    const scope = await scopeOf(db.index);
    const counts = await apply(db.index, scope, [put('a\0b', 1), put('half \ud800', 2), put('fine', 3)]);
    expect(counts).toMatchObject({ records: 3, applied: 1, ignored: { 'unstorable-name': 2 } });
    const notes = await recentJournal(db.index.db, scope.account.id, { limit: 10, kind: 'unstorable-name' });
    expect(notes.map(({ name }) => name).toSorted()).toEqual(['a\ufffdb', 'half \ufffd']);
  });

  it('takes texts that are no names as they come', async () => {
    const scope = await scopeOf(db.index);
    const contentType = 'a\0b"\\{},NULL';
    await apply(db.index, scope, [
      put('NULL', 1, { eventId: 'x\0', attributes: { etag: '', length: 0, contentType } }),
    ]);
    const [entry] = await storedEntries(db.index, scope.account.id);
    expect(entry).toMatchObject({ name: 'NULL', attributes: { etag: '', contentType: 'a\ufffdb"\\{},NULL' } });
  });

  it('10: leaves an entry that says which change made it, from which source, under which rules', async () => {
    const scope = await scopeOf(db.index);
    await apply(db.index, scope, [put('a', 7)]);
    const found = await explainEntry(db.index.db, scope.account.id, { container: 'lake', name: 'a' });
    expect(found).toMatchObject({
      provenance: { source: 'feed', eventId: 'event 7', time: T0 + 7_000, ruleRevision: 1 },
      isLive: true,
      stub: { sink: 'vast', due: true, state: 'none' },
    });
  });

  it('is refused under rules that are no longer live, and waits for those that are being published', async () => {
    const scope = await scopeOf(db.index);
    let publishing: Promise<unknown> = Promise.resolve();
    let published = false;
    await transact(db.index, async (tx) => {
      await applyEvents(tx, { ...scope, events: [put('a', 1)] });
      const rules = [{ prefix: 'lake/', authority: 'blob' as const, sink: 'vast' }];
      publishing = publishRules(db.index, scope.account.id, rules, 'narrower').then(() => {
        published = true;
      });
      await sleep(100);
      expect(published).toBe(false);
    });
    await publishing;
    await expect(apply(db.index, scope, [put('a', 2)])).rejects.toMatchObject({ code: 'ISTHMUS_RULES_MOVED' });
  });

  it('1: that tells of a new incarnation makes what is older dead, and its late events change nothing', async () => {
    const scope = await scopeOf(db.index);
    const [before, after] = [epochAt(T0 - 60_000), epochAt(T0 + 60_000)];
    await apply(db.index, scope, [put('a', 1, { epoch: before }), put('b', 2, { epoch: before })]);
    await apply(db.index, scope, [put('a', 70, { epoch: after })]);
    const counts = await apply(db.index, scope, [put('c', 3, { epoch: before })]);
    expect(counts).toMatchObject({ applied: 0, ignored: { 'dead-epoch': 1 } });
    const explain = (name: string) => explainEntry(db.index.db, scope.account.id, { container: 'lake', name });
    expect([(await explain('a'))?.isLive, (await explain('b'))?.isLive]).toEqual([true, false]);
  });
});

describe('pages over the same keys at once', () => {
  it('1: do not deadlock, and end as the events say, whichever comes first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const scope = await scopeOf(db.index);
        const random = generator(seed);
        const names = Array.from({ length: 40 }, (_, at) => `name ${at}`);
        const events = Array.from({ length: 400 }, (_, at) => {
          const name = names[Math.floor(random() * names.length)] ?? '';
          return random() < 0.2 ? del(name, at + 1) : put(name, at + 1, random() < 0.1 ? { effect: 'touch' } : {});
        });
        const shuffled = () => events.map((event) => ({ event, at: random() })).toSorted((a, b) => a.at - b.at);
        const pages = Array.from({ length: 4 }, () => shuffled().map(({ event }) => event)).flatMap((all) =>
          Array.from({ length: 8 }, (_, at) => all.slice(at * 50, (at + 1) * 50)),
        );
        // One attempt each: a deadlock would be an error.
        await Promise.all(
          pages.map((page) => transact(db.index, (tx) => applyEvents(tx, { ...scope, events: page }), { attempts: 1 })),
        );
        const newest = new Map(events.map((event) => [event.name, event]));
        for (const entry of await storedEntries(db.index, scope.account.id)) {
          if (entry.lookDue) continue;
          const last = newest.get(entry.name);
          expect([entry.name, entry.live, entry.sequencer]).toEqual([
            entry.name,
            last?.effect === 'put',
            last?.sequencer,
          ]);
        }
      }),
      { numRuns: 6 },
    );
  });
});

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
