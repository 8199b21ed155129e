import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sql } from 'kysely';
import { pino } from 'pino';
import { verifyNamespace } from '../cli/verify/verify.ts';
import { compileRules } from '../namespace/authority.ts';
import type { Attributes } from '../namespace/entry.ts';
import { judgeRun } from '../reconciler/judge/judge-run.ts';
import type { Judging } from '../reconciler/judging.ts';
import { prepareRun } from '../reconciler/prepare.ts';
import { stageRun } from '../reconciler/stage.ts';
import { ensureAccount } from '../schema/index/accounts.ts';
import { publishRules } from '../schema/index/authority-revisions.ts';
import { type Index, openIndex } from '../schema/index/database.ts';
import type { BlobPage, BlobSource } from '../schema/ports/blob-source.ts';
import type { Sink } from '../schema/ports/sink.ts';

export interface JudgeFigures {
  readonly names: number;
  /** Names a second of a bootstrap by List Blobs. */
  readonly bootstrap: number;
  /** Of a second listing: everything agrees, names are staged and the index is walked. */
  readonly listing: number;
  readonly verify: number;
  /** Most that this process held on to (after a collection) while it verified, in MB. Must not grow with `names`. */
  readonly verifyHeapMb: number;
  readonly differences: number;
}

export interface VerifyBenchmark {
  readonly small: JudgeFigures;
  readonly large: JudgeFigures;
  /** `large.verifyHeapMb / small.verifyHeapMb`. */
  readonly growth: number;
}

const RULES = [{ prefix: '', authority: 'blob' as const, sink: 'vast' }];
const NEVER = new AbortController().signal;
const PAGE = 5_000;

/** Measures the listing judge and `verify` on a migrated index, at two sizes. Leaves accounts of its own behind. */
export async function run(url: string, names = 400_000): Promise<VerifyBenchmark> {
  const index = openIndex(url);
  try {
    const small = await measure(index, Math.ceil(names / 4));
    const large = await measure(index, names);
    return { small, large, growth: round(large.verifyHeapMb / small.verifyHeapMb) };
  } finally {
    await index.close();
  }
}

async function measure(index: Index, names: number): Promise<JudgeFigures> {
  const account = await ensureAccount(index, randomUUID());
  const rules = compileRules(await publishRules(index, account.id, RULES, 'bench'));
  const judging: Judging = {
    federation: {
      sources: {},
      reconcile: {
        ...{ stop: { percent: 1, names: 1_000 }, looksPerSecond: 2_000, looksPerRun: 1_000_000 },
        ...{ sinksEveryHours: 24, driftLimit: 1_000 },
      },
    },
    account,
    index,
    blobs: new ManyBlobs(names),
    rules: async () => ({ index: rules, revision: rules.revision }),
    rulesAreStale() {},
    clock: { now: () => Date.now(), sleep: async () => {} },
    log: pino({ level: 'silent' }),
  };
  const list = async () => {
    const { runId } = await prepareRun(judging, { judge: 'listing' }, NEVER);
    await stageRun(judging, runId, NEVER);
    await judgeRun(judging, runId, NEVER);
    await sql`update runs set outcome = 'complete', ended_at = 0 where id = ${runId}`.execute(index.db);
    await sql`drop table if exists ${sql.table(`reconcile_${runId}_listed`)}, ${sql.table(`reconcile_${runId}_missing`)}`.execute(
      index.db,
    );
  };
  const bootstrap = await rate(names, list);
  await sql`analyze entries`.execute(index.db);
  const listing = await rate(names, list);

  const held = { most: 0, sampledAt: 0 };
  const collect = garbageCollector();
  const onProgress = ({ names: read }: { readonly names: number }) => {
    if (read - held.sampledAt < names / 10) return;
    held.sampledAt = read;
    collect();
    held.most = Math.max(held.most, process.memoryUsage().heapUsed);
  };
  let differences = 0;
  const verify = await rate(names, async () => {
    const sinks = new Map([['vast', manyFiles(names)]]);
    const verified = { index, account, blobs: judging.blobs, sinks };
    for await (const { apart } of verifyNamespace(verified, '', { signal: NEVER, onProgress }))
      if (!apart) differences++;
  });
  return { names, bootstrap, listing, verify, verifyHeapMb: round(held.most / 1e6), differences };
}

/** What is held, told apart from what nobody has collected yet. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  return typeof collect === 'function' ? () => void collect() : () => {};
}

async function rate(names: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round((names * 1000) / (performance.now() - start));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function nameOf(at: number): string {
  return `run/2026/11/${String(at >> 10).padStart(6, '0')}/part-${String(at).padStart(12, '0')}.parquet`;
}

function attributesOf(at: number): Attributes {
  return { etag: `0x${(0x8d00000000000 + at).toString(16)}`, length: at, blobType: 'BlockBlob', lastModified: 1e12 };
}

/** An account of one flat container whose names are made as they are asked for. */
class ManyBlobs implements BlobSource {
  readonly #names: number;

  constructor(names: number) {
    this.#names = names;
  }

  async *listContainers() {
    yield { containers: ['lake'], time: Date.now() };
  }

  async *listBlobs(): AsyncGenerator<BlobPage> {
    for (let at = 0; at < this.#names; at += PAGE) {
      const length = Math.min(PAGE, this.#names - at);
      const blobs = Array.from({ length }, (_, of) => ({ name: nameOf(at + of), attributes: attributesOf(at + of) }));
      yield { blobs, time: Date.now() };
    }
  }

  listDirectory(): never {
    throw new Error('nobody lists it by directory');
  }

  look(): never {
    throw new Error('nobody looks');
  }

  readRange(): never {
    throw new Error('nobody reads');
  }

  readText(): never {
    throw new Error('nobody reads');
  }
}

/** The stubs of all of them. */
function manyFiles(names: number): Sink {
  const walk: Sink['walk'] = async function* () {
    for (let at = 0; at < names; at++) {
      const { etag, length } = attributesOf(at);
      yield { key: { container: 'lake', name: nameOf(at) }, etag, length, state: 'stub' };
    }
  };
  return { walk } as unknown as Sink;
}
