import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileRules } from '../../../namespace/authority.ts';
import type { LookAnswer } from '../../../namespace/change.ts';
import type { Entry } from '../../../namespace/entry.ts';
import type { SubtreeChange } from '../../../schema/events/subtree.ts';
import { readAccount } from '../../../schema/index/accounts.ts';
import { applyLooks } from '../../../schema/index/apply-answers.ts';
import { applyEvents } from '../../../schema/index/apply-events.ts';
import { publishRules } from '../../../schema/index/authority-revisions.ts';
import { listContainers } from '../../../schema/index/containers.ts';
import { openIndex } from '../../../schema/index/database.ts';
import { recentJournal } from '../../../schema/index/journal.ts';
import { claimLooks } from '../../../schema/index/looks.ts';
import type { PageScope } from '../../../schema/index/page.ts';
import { purgeSubtrees } from '../../../schema/index/purge.ts';
import { finishRun, startRun } from '../../../schema/index/runs.ts';
import { stepSubtree } from '../../../schema/index/subtree-step.ts';
import {
  claimSubtree,
  countSubtrees,
  endListed,
  noteListingRequested,
  noteSubtrees,
  releaseSubtree,
  type SubtreeClaim,
  unlistedSubtrees,
} from '../../../schema/index/subtrees.ts';
import { transact } from '../../../schema/index/transact.ts';
import { recentViolations } from '../../../schema/index/violations.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { apply, del, put, scopeOf, T0 } from './page.ts';
import { queuedLooks, storedEntries } from './read-index.ts';

let db: TestIndex;
beforeAll(async () => {
  db = await testIndex();
});
afterAll(() => db[Symbol.asyncDispose]());

/** Long after everything that the children tell. */
const T = T0 + 3_600_000;

function gone(name: string, more: Partial<SubtreeChange> = {}): SubtreeChange {
  const told = { made: undefined, recursive: true, time: T, eventId: `went ${name}`, api: 'DeleteDirectory' };
  return { gone: { container: 'lake', name }, ...told, ...more };
}

function note(scope: PageScope, ...changes: readonly SubtreeChange[]): Promise<number> {
  return transact(db.index, (tx) => noteSubtrees(tx, scope.account.id, changes));
}

async function claimed(scope: PageScope, leaseMs = 0): Promise<SubtreeClaim> {
  const claim = await claimSubtree(db.index, scope.account.id, leaseMs);
  if (claim === undefined) throw new Error('nothing is due');
  return claim;
}

function step(scope: PageScope, claim: SubtreeClaim, limit = 100, leaseMs = 0) {
  return transact(db.index, (tx) => stepSubtree(tx, { ...scope, claim, limit, leaseMs }));
}

async function children(scope: PageScope, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, at) => put(`d/${String(at).padStart(4, '0')}`, at + 1));
  await apply(db.index, scope, [...events, put('d', 1), put('dd/x', 1), put('c/x', 1)]);
}

async function below(scope: PageScope): Promise<readonly Entry[]> {
  return (await storedEntries(db.index, scope.account.id)).filter(({ name }) => name.startsWith('d/'));
}

describe('a directory that went', () => {
  it('3: is noted once, in the transaction of its batch or not at all', async () => {
    const scope = await scopeOf(db.index);
    const failing = transact(db.index, async (tx) => {
      await noteSubtrees(tx, scope.account.id, [gone('d')]);
      throw new Error('the batch failed');
    });
    await expect(failing).rejects.toThrow('the batch failed');
    expect(await claimSubtree(db.index, scope.account.id, 0)).toBeUndefined();
    expect(await note(scope, gone('d'), gone('e'))).toBe(2);
    expect(await note(scope, gone('d'))).toBe(0);
    expect(await countSubtrees(db.index.db, scope.account.id, 10)).toBe(2);
  });

  it('takes what is below it, keeps its clock, makes its stub due, and leaves its neighbours alone', async () => {
    const scope = await scopeOf(db.index);
    await children(scope, 5);
    await sql`update entries set stub_due = false where account_id = ${scope.account.id}`.execute(db.index.db);
    await note(scope, gone('d'));
    expect(await step(scope, await claimed(scope))).toEqual({ gone: 5, looks: 0, refused: 0, done: true });
    const entries = await storedEntries(db.index, scope.account.id);
    expect(entries.filter(({ live }) => live).map(({ name }) => name)).toEqual(['c/x', 'd', 'dd/x']);
    const [first] = await below(scope);
    expect(first).toMatchObject({
      ...{ live: false, seen: T, look: T, lookDue: false, revision: 2, sequencer: put('x', 1).sequencer },
      provenance: { source: 'trigger', eventId: 'went d', time: T },
    });
    const { rows } = await sql<{ head: string }>`
      select head from entries where account_id = ${scope.account.id} and stub_due order by head`.execute(db.index.db);
    expect(rows).toHaveLength(5);
    // Whoever asks why finds it by the event's id.
    expect(await recentJournal(db.index.db, scope.account.id, { limit: 5 })).toMatchObject([
      {
        kind: 'directory-gone',
        container: 'lake',
        name: 'd',
        detail: { eventId: 'went d', gone: 5, looks: 0, refused: 0 },
      },
    ]);
  });

  it('2: is not undone by what is told late of before, and does not hold back what is told of after', async () => {
    const scope = await scopeOf(db.index);
    await children(scope, 3);
    await note(scope, gone('d'));
    await step(scope, await claimed(scope));
    const early = { time: T - 60_000 };
    const late = [put('d/0000', 100, early), put('d/never-seen', 101, early), del('d/0001', 102, early)];
    expect(await apply(db.index, scope, late)).toMatchObject({ applied: 0, ignored: { 'dead-epoch': 3 } });
    const news = [put('d/0002', 200, { time: T + 60_000 }), put('d/near', 201, { time: T + 1_000 })];
    expect(await apply(db.index, scope, news)).toMatchObject({ applied: 2, looks: 1 });
    expect((await below(scope)).filter(({ live }) => live).map(({ name }) => name)).toEqual(['d/0002']);
    expect(await queuedLooks(db.index, scope.account.id)).toEqual(['lake/d/near near-container-gone']);
  });

  it('5: is a violation where VAST rules, and each name below it is treated by its own rule', async () => {
    const before = [{ prefix: '', authority: 'blob' as const, sink: 'vast' }];
    const scope = await scopeOf(db.index, before);
    const names = ['d/a', 'd/v/a', 'd/v/b', 'd/v/w/a', 'd/z'];
    await apply(
      db.index,
      scope,
      names.map((name, at) => put(name, at + 1)),
    );
    const rules = [
      ...before,
      { prefix: 'lake/d/v/', authority: 'vast' as const, sink: 'vast' },
      { prefix: 'lake/d/v/w/', authority: 'blob' as const, sink: 'vast' },
    ];
    const live = await publishRules(db.index, scope.account.id, rules, 'test');
    const now = { ...scope, rules: compileRules(live), ruleRevision: live.revision };
    await note(now, gone('d'), gone('d/v', { eventId: 'went v' }));
    const claim = await claimed(now, 60_000);
    expect(await step(now, claim, 2)).toEqual({ gone: 1, looks: 0, refused: 1, done: false });
    expect(await step(now, claim, 2)).toEqual({ gone: 1, looks: 0, refused: 1, done: false });
    expect(await step(now, claim, 2)).toEqual({ gone: 1, looks: 0, refused: 0, done: true });
    // The one that is VAST's own is told of even where nothing below it is live any more.
    const own = await claimed(now, 60_000);
    await step(now, own, 1);
    const entries = await storedEntries(db.index, scope.account.id);
    expect(entries.filter((entry) => entry.live).map(({ name }) => name)).toEqual(['d/v/a', 'd/v/b']);
    const violations = await recentViolations(db.index.db, scope.account.id, 10);
    expect(violations.map(({ eventId, name, entryEtag }) => [eventId, name, entryEtag])).toEqual([
      ['went v', 'd/v/a', '0x2'],
      ['went d', 'd/v/a', '0x2'],
    ]);
  });

  it.each([0, 1, 2, 3])(
    'that is worked off by a worker killed after %i steps, or in the next, is taken up where it stopped',
    async (steps) => {
      const scope = await scopeOf(db.index);
      await children(scope, 35);
      await apply(db.index, scope, [put('d/0007', 900, { time: T }), put('d/0021', 901, { time: T })]);
      await note(scope, gone('d'));
      const claim = await claimed(scope);
      for (let made = 0; made < steps; made++) await step(scope, claim, 10);
      const died = transact(db.index, async (tx) => {
        await stepSubtree(tx, { ...scope, claim, limit: 10, leaseMs: 60_000 });
        throw new Error('killed');
      });
      await expect(died).rejects.toThrow('killed');
      const next = await claimed(scope);
      let [taken, looks] = [0, 0];
      for (let done = false; !done; ) {
        const made = await step(scope, next, 10);
        done = made.done;
        taken += made.gone;
        looks += made.looks;
      }
      expect(taken + looks).toBe(35 - 10 * steps);
      const entries = await below(scope);
      expect(entries.filter(({ live }) => live).map(({ name }) => name)).toEqual(['d/0007', 'd/0021']);
      expect(entries.every(({ name, revision }) => revision === (/0007|0021/.test(name) ? 3 : 2))).toBe(true);
      expect(await queuedLooks(db.index, scope.account.id)).toEqual([
        'lake/d/0007 directory-gone',
        'lake/d/0021 directory-gone',
      ]);
    },
  );

  it('is worked off by one of two workers: the one that claimed first and came back does nothing', async () => {
    const scope = await scopeOf(db.index);
    await children(scope, 30);
    await note(scope, gone('d'));
    const first = await claimed(scope);
    await step(scope, first, 10);
    const second = await claimed(scope);
    expect(await step(scope, first, 10)).toEqual({ gone: 0, looks: 0, refused: 0, done: true });
    expect(await step(scope, second, 10)).toMatchObject({ gone: 10, done: false });
    // Leases that end at once: every step of each may come between two of the others.
    const workers = Array.from({ length: 4 }, async () => {
      let taken = 0;
      for (;;) {
        const claim = await claimSubtree(db.index, scope.account.id, 0);
        if (claim === undefined) return taken;
        taken += (await step(scope, claim, 3)).gone;
      }
    });
    expect((await Promise.all(workers)).reduce((sum, each) => sum + each, 0)).toBe(10);
    expect((await below(scope)).map(({ revision }) => revision)).toEqual(Array.from({ length: 30 }, () => 2));
  });

  it('is given back by who holds it, and not by one whose claim was taken over', async () => {
    const scope = await scopeOf(db.index);
    await note(scope, gone('d'));
    const first = await claimed(scope);
    const second = await claimed(scope, 3_600_000);
    await releaseSubtree(db.index, first);
    expect(await claimSubtree(db.index, scope.account.id, 0)).toBeUndefined();
    await releaseSubtree(db.index, second);
    expect((await claimed(scope)).id).toBe(second.id);
  });

  it('holds the rows of one step and no others, and other intake goes on meanwhile', async () => {
    const scope = await scopeOf(db.index);
    await children(scope, 1_000);
    await note(scope, gone('d'));
    const claim = await claimed(scope);
    const other = openIndex(db.url, { applicationName: 'other' });
    try {
      await transact(db.index, async (tx) => {
        await stepSubtree(tx, { ...scope, claim, limit: 100, leaseMs: 60_000 });
        const { rows } = await sql<{ free: number }>`
          select count(*) as free from (
            select from entries where account_id = ${scope.account.id} for update skip locked) as free`.execute(
          other.db,
        );
        expect(rows[0]?.free).toBe(1_003 - 100);
        const events = [put('d/0100', 2_000, { time: T + 60_000 }), put('d', 2_001), put('new', 2_002)];
        const page = (statementMs: number) =>
          transact(other, (mine) => applyEvents(mine, { ...scope, events }), { statementMs });
        expect(await page(5_000)).toMatchObject({ applied: 3 });
      });
    } finally {
      await other.close();
    }
  });

  it('1: that is renamed while names below it are written ends as the source, looks answered', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    const names = Array.from({ length: 120 }, (_, at) => `d/${String(at).padStart(4, '0')}`);
    await apply(
      db.index,
      scope,
      names.map((name, at) => put(name, at + 1)),
    );
    // Of five: one is written long after, one soon after, one was soon before, one long before and is told late.
    const writes = names.flatMap((name, at) => {
      const offset = [undefined, 60_000, 3_000, -3_000, -60_000][at % 5];
      return offset === undefined ? [] : [put(name, at + 1_000, { time: T + offset })];
    });
    const truth = new Map(
      writes.filter(({ time }) => time > T).map((event) => [event.name, event.attributes] as const),
    );
    const pages = Array.from({ length: 12 }, (_, page) => writes.filter((_, at) => at % 12 === page));
    const intake = async () => {
      for (const page of pages) await apply(db.index, scope, page);
    };
    const work = async () => {
      await note(scope, gone('d', { made: { container: 'lake', name: 'e' } }));
      const claim = await claimed(scope, 60_000);
      while (!(await step(scope, claim, 7)).done);
    };
    await Promise.all([intake(), work()]);
    for (;;) {
      const due = await claimLooks(db.index, id, 500, 60_000);
      if (due.length === 0) break;
      const answers = due.map(({ key, entryRevision }): LookAnswer => {
        const asked = { time: T + 200_000, entryRevision, eventId: 'look' };
        return { kind: 'look', ...key, found: truth.get(key.name), ...asked };
      });
      await transact(db.index, (tx) => applyLooks(tx, { ...scope, answers }));
    }
    const live = (await below(scope)).filter((entry) => entry.live);
    expect(new Map(live.map(({ name, attributes }) => [name, attributes?.etag]))).toEqual(
      new Map([...truth].map(([name, attributes]) => [name, attributes?.etag])),
    );
  });

  it('waits for a page in flight, which has not read of it', async () => {
    const scope = await scopeOf(db.index);
    await children(scope, 1);
    let working: Promise<unknown> = Promise.resolve();
    await transact(db.index, async (tx) => {
      await applyEvents(tx, { ...scope, events: [put('d/0000-late', 50)] });
      await note(scope, gone('d'));
      working = claimed(scope).then((claim) => step(scope, claim));
      await sleep(300);
    });
    expect(await working).toEqual({ gone: 2, looks: 0, refused: 0, done: true });
  });

  it('is done once both of its names were listed by runs that began after it was gone through', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    await children(scope, 2);
    await apply(db.index, scope, [put('d/near', 900, { time: T })]);
    await note(scope, gone('d', { made: { container: 'other', name: 'new' } }));
    const listed = async (prefix: string) => {
      const run = await startRun(db.index.db, id, { judge: 'listing', prefix });
      await finishRun(db.index.db, run, { outcome: 'complete' });
      return await endListed(db.index.db, id);
    };
    expect(await listed('')).toBe(0);
    await step(scope, await claimed(scope));
    // What its entries wait for is asked first.
    expect(await unlistedSubtrees(db.index.db, id, 10)).toEqual([]);
    await sql`delete from looks where account_id = ${id}`.execute(db.index.db);
    const [waiting] = await unlistedSubtrees(db.index.db, id, 10);
    expect(waiting).toMatchObject({ prefixes: ['lake/d/', 'other/new/'], requestedAt: undefined });
    expect(await listed('')).toBe(0);
    await noteListingRequested(db.index.db, id, [waiting?.id ?? 0]);
    expect(await listed('lake/d/')).toBe(0);
    expect(await listed('other/newer/')).toBe(0);
    expect(await listed('other/')).toBe(1);
    expect(await countSubtrees(db.index.db, id, 10)).toBe(0);
    expect((await listContainers(db.index.db, id)).map(({ name }) => name)).toEqual(['lake']);
  });

  it('goes through none of the looks that wait for something else, however many directories wait', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    await children(scope, 2_000);
    await sql`insert into looks (account_id, container_id, head, tail, tail_hash, reason, queued_at, due_at)
      select account_id, container_id, head, tail, tail_hash, 'not-listed', 1, 1 from entries
      where account_id = ${id}`.execute(db.index.db);
    await note(scope, ...Array.from({ length: 50 }, (_, at) => gone(`gone-${at}`)));
    await sql`update subtrees set worked_at = noted_at where account_id = ${id}`.execute(db.index.db);
    await sql`analyze looks`.execute(db.index.db);
    await transact(db.index, async (tx) => {
      expect(await unlistedSubtrees(tx, id, 100)).toHaveLength(50);
      const { rows } = await sql<{ readonly read: number }>`
        select seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables
        where relname = 'looks'`.execute(tx);
      expect(rows[0]?.read).toBeLessThan(100);
    });
  });

  it('2: is remembered for as long as tombstones are, and purged in batches; what is older is looked at from then on', async () => {
    const scope = await scopeOf(db.index);
    const { id } = scope.account;
    const day = 86_400_000;
    await note(scope, gone('d'), gone('e', { time: T - 1 }), gone('f'), gone('unlisted', { time: T - 2 }));
    await sql`update subtrees set listed_at = ${T} where account_id = ${id} and event_id <> 'went unlisted'`.execute(
      db.index.db,
    );
    const kept = async () => {
      const { rows } = await sql<{ name: string }>`
        select head as name from subtrees where account_id = ${id} order by head`.execute(db.index.db);
      return rows.map(({ name }) => name);
    };
    expect(await purgeSubtrees(db.index, id, T, 10)).toEqual({ purged: 0, done: true });
    expect((await readAccount(db.index.db, scope.account.name))?.horizon).toBeUndefined();
    expect(await purgeSubtrees(db.index, id, T + day, 2)).toEqual({ purged: 2, done: false });
    expect(await kept()).toHaveLength(2);
    expect(await purgeSubtrees(db.index, id, T + day, 2)).toEqual({ purged: 1, done: true });
    expect(await kept()).toEqual(['unlisted']);
    expect((await readAccount(db.index.db, scope.account.name))?.horizon).toBe(T);
    await apply(db.index, scope, [put('d/late', 1)]);
    expect(await queuedLooks(db.index, id)).toEqual(['lake/d/late before-horizon']);
  });
});
