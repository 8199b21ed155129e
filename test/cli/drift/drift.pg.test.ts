import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../../cli/call.ts';
import { type ListOptions, listDrift } from '../../../cli/drift/list.ts';
import { showDrift } from '../../../cli/drift/show.ts';
import { trendOfDrift } from '../../../cli/drift/trend.ts';
import { ensureAccount } from '../../../schema/index/accounts.ts';
import { countFindings, type NewFinding, recordFindings } from '../../../schema/index/findings.ts';
import { awaitDecision, finishRun, type NewRun, startRun } from '../../../schema/index/runs.ts';
import { driftOutput, driftShowOutput, driftTrendOutput } from '../../../schema/outputs/drift.ts';
import { type TestIndex, testIndex } from '../../support/postgres.ts';
import { type RecordingTerminal, recordingTerminal } from '../recording-terminal.ts';

let db: TestIndex;
let folder: string;
/** The older listing, the newer one, the sink's, and the one that waits. */
let ids: readonly number[];

const found = (name: string, more: Partial<NewFinding> = {}): NewFinding => ({
  ...{ container: 'lake', name, difference: 'not-listed', cause: 'missed-by-both', state: 'open', evidence: {} },
  ...more,
});
const SEEN = Date.UTC(2026, 10, 21);
const EVIL = 'evil\u001b[31m';

/** Ends a run as the reconciler does, with its drift by cause. */
async function end(run: number | undefined): Promise<void> {
  const counts: Record<string, number> = {};
  for (const { cause, count } of await countFindings(db.index.db, run ?? 0))
    counts[`cause.${cause}`] = count + (counts[`cause.${cause}`] ?? 0);
  await sql`update runs set counts = ${JSON.stringify(counts)}::jsonb where id = ${run ?? 0}`.execute(db.index.db);
  await finishRun(db.index.db, run ?? 0, { outcome: 'complete' });
}

async function judged(run: NewRun, findings: readonly NewFinding[], previousRun?: number): Promise<number> {
  const account = await ensureAccount(db.index, 'contoso');
  const id = await startRun(db.index.db, account.id, run);
  await recordFindings(db.index.db, { accountId: account.id, runId: id, previousRun }, findings);
  return id;
}

beforeAll(async () => {
  db = await testIndex();
  folder = await mkdtemp(path.join(tmpdir(), 'isthmus-drift-'));
  await writeFile(
    path.join(folder, 'federation.yaml'),
    "name: lake\naccount: { name: contoso }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n",
  );
  const lasting = found('odd', { difference: 'not-indexed', cause: 'unstorable-name' });
  const runs = [await judged({ judge: 'listing', prefix: '' }, [lasting, found('before')])];
  await end(runs[0]);
  runs.push(await judged({ judge: 'listing', prefix: '' }, [lasting], runs[0]));
  await end(runs[1]);
  const whole = found('a/b/1', {
    state: 'repaired',
    evidence: {
      index: { live: true, seen: SEEN, source: 'trigger', etag: '0x1', length: 2_048 },
      heard: { trigger: SEEN, feed: SEEN + 1_000 },
      look: { live: false, at: SEEN + 2_000 },
      note: 'odd\u0007',
    },
  });
  const newest = [lasting, whole, found('a/b/2'), found('a/c/3', { state: 'held' }), found('a/c/4'), found(EVIL)];
  runs.push(
    await judged({ judge: 'listing', prefix: '' }, [...newest, found('plain', { cause: 'tier-moved' })], runs[1]),
  );
  await end(runs[2]);
  const stray = found('stray', { difference: 'sink', cause: 'foreign-file', evidence: { sink: { state: 'foreign' } } });
  runs.push(await judged({ judge: 'sink', prefix: '', sink: 'gpu' }, [stray]));
  await end(runs[3]);
  runs.push(
    await judged({ judge: 'listing', prefix: 'pond/' }, [{ ...found('gone', { state: 'held' }), container: 'pond' }]),
  );
  await awaitDecision(db.index.db, runs[4] ?? 0);
  ids = runs.slice(1);
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function call(json: boolean): Call & { readonly terminal: RecordingTerminal } {
  const config = path.join(folder, 'federation.yaml');
  const { signal } = new AbortController();
  return { env: { DATABASE_URL: db.url }, terminal: recordingTerminal(), signal, json, config };
}

const ASKED: ListOptions = {
  ...{ run: undefined, cause: undefined, prefix: '', limit: 20, all: false, repeated: false, exitCode: false },
};

async function told(options: Partial<ListOptions> = {}) {
  const asked = call(true);
  const code = await listDrift({ ...ASKED, ...options }, asked);
  return { code, ...driftOutput.parse(JSON.parse(asked.terminal.printed.join(''))) };
}
const names = ({ findings }: { findings: readonly { container: string; name: string }[] }) =>
  findings.map(({ container, name }) => `${container}/${name}`);

describe('isthmus drift', () => {
  it('tells what is open in the newest run of each judge and scope, by cause and folder', async () => {
    const drift = await told();
    expect(drift.code).toBe(0);
    expect(drift.runs.map(({ run }) => run)).toEqual([ids[3], ids[2], ids[1]]);
    expect(drift.runs[0]).toMatchObject({ prefix: 'pond/', outcome: null, waitingSince: expect.any(String), drift: 1 });
    expect(drift).toMatchObject({ count: 8, states: ['looking', 'held', 'open', 'refused'] });
    expect(drift.causes[0]).toMatchObject({ run: ids[1], cause: 'missed-by-both', state: 'open', count: 3 });
    expect(drift.prefixes).toEqual([
      { prefix: 'lake/', count: 4 },
      { prefix: 'lake/a/', count: 3 },
      { prefix: 'pond/', count: 1 },
    ]);
    expect(names(drift)).not.toContain('lake/before');
    expect(names(drift)).not.toContain('lake/a/b/1');
  });

  it('tells what was mended too, of one run, cause or prefix, and no more than is asked for', async () => {
    expect(names(await told({ all: true, run: ids[1] }))).toContain('lake/a/b/1');
    expect(names(await told({ run: ids[0] }))).toEqual(['lake/odd']);
    expect(names(await told({ cause: 'tier-moved' }))).toEqual(['lake/plain']);
    const below = await told({ prefix: 'lake/a/', all: true });
    expect(below.prefixes).toEqual([
      { prefix: 'lake/a/b/', count: 2 },
      { prefix: 'lake/a/c/', count: 2 },
    ]);
    expect((await told({ limit: 2 })).findings).toHaveLength(2);
    expect(await told({ limit: 2 })).toMatchObject({ count: 8 });
  });

  it('tells what three runs in a row found', async () => {
    const drift = await told({ repeated: true });
    expect(drift.findings).toMatchObject([{ name: 'odd', streak: 3, run: ids[1] }]);
    expect(drift.causes).toMatchObject([{ cause: 'unstorable-name', count: 1, repeated: 1 }]);
  });

  it('exits 1 where anything is told only if that is asked for', async () => {
    expect((await told({ exitCode: true })).code).toBe(1);
    expect((await told({ exitCode: true, cause: 'blob-grew' })).code).toBe(0);
  });

  it('shows no control characters to people, what decides a run that waits, and that there is more', async () => {
    const asked = call(false);
    await listDrift({ ...ASKED, limit: 7 }, asked);
    const text = asked.terminal.printed.join('\n');
    expect(text).toContain('lake/evil\\u001b[31m');
    expect(text).not.toContain('\u001b');
    expect(text).toContain(`isthmus reconcile plan ${ids[3]}`);
    expect(text).toContain('and 1 more; --limit shows more.');
  });

  it('says that there is no such run, instead of that there is no drift', async () => {
    await expect(told({ run: 9_999 })).rejects.toThrow('There is no run 9999');
  });
});

describe('isthmus drift --trend', () => {
  it('shows the newest runs with their drift by cause', async () => {
    const asked = call(true);
    await trendOfDrift(3, asked);
    const { runs } = driftTrendOutput.parse(JSON.parse(asked.terminal.printed.join('')));
    expect(runs.map(({ run }) => run)).toEqual([ids[3], ids[2], ids[1]]);
    expect(runs[2]).toMatchObject({
      drift: 7,
      byCause: { 'missed-by-both': 5, 'tier-moved': 1, 'unstorable-name': 1 },
    });
    const people = call(false);
    await trendOfDrift(20, people);
    expect(people.terminal.printed).toHaveLength(5);
    expect(people.terminal.printed[0]).toMatch(/by a listing of pond\/ .* waits /);
  });
});

describe('isthmus drift show', () => {
  it('10: tells what the judge saw, what the index said, what was heard and looked at, why, and what became of it', async () => {
    const asked = call(false);
    expect(await showDrift('lake/a/b/1', 10, asked)).toBe(0);
    const text = asked.terminal.printed.join('\n');
    for (const part of [
      'lake/a/b/1',
      'live in the index, and the judge did not list it',
      'missed-by-both: No trigger told it',
      'judge saw   nothing',
      'index said  live, 2 KiB (2048 bytes), 0x1; told by trigger of 2026-11-21T00:00:00.000Z',
      'triggers up to 2026-11-21T00:00:00.000Z, the feed up to 2026-11-21T00:00:01.000Z',
      'look said   it is not there (404) at 2026-11-21T00:00:02.000Z',
      'odd\\u0007',
      'repaired: it is now as the source is',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('tells all that was found of a name, the newest first; of one of which nothing was is no', async () => {
    const asked = call(true);
    expect(await showDrift('lake/odd', 2, asked)).toBe(0);
    const { findings } = driftShowOutput.parse(JSON.parse(asked.terminal.printed.join('')));
    expect(findings).toMatchObject([
      { run: ids[1], judge: 'listing', streak: 3 },
      { run: ids[0], streak: 2 },
    ]);
    expect(await showDrift('lake/never', 10, call(true))).toBe(1);
  });
});
