import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { FileViewSink } from '../activities/vast/file-view/file-view-sink.ts';
import type { StubRequest } from '../schema/ports/sink.ts';

export interface FileViewFigures {
  readonly stubs: number;
  /** Names a second, with 64 in flight. */
  readonly created: number;
  readonly unchanged: number;
  readonly updated: number;
  readonly walked: number;
  readonly removed: number;
  /** Processor time of this process for one created stub, its threads and the kernel's part included. */
  readonly cpuMicrosPerStub: number;
}

const IN_FLIGHT = 64;

/** What a file view on a local disk takes: stubs in directories of 500, three levels deep. */
export async function run(
  options: { readonly stubs?: number; readonly attributes?: 'probe' | 'sidecar' } = {},
): Promise<FileViewFigures> {
  const { stubs = 20_000, attributes = 'probe' } = options;
  const root = await mkdtemp(join(tmpdir(), 'isthmus-bench-'));
  const sink = new FileViewSink({ root, attributes });
  const signal = new AbortController().signal;
  const limit = pLimit(IN_FLIGHT);
  const stub = (at: number, revision: number): StubRequest => ({
    key: { container: 'lake', name: `year=2026/part-${Math.floor(at / 500)}/file-${at}.parquet` },
    attributes: { etag: `0x8DD${revision}`, length: 1_000_000 + at, lastModified: 1_700_000_000_000 },
    revision,
  });
  const rate = async (work: (at: number) => Promise<unknown>) => {
    const began = performance.now();
    await Promise.all(Array.from({ length: stubs }, (_, at) => limit(() => work(at))));
    return Math.round((stubs / (performance.now() - began)) * 1000);
  };
  try {
    await sink.putStub(stub(stubs, 1), signal);
    const before = process.cpuUsage();
    const created = await rate((at) => sink.putStub(stub(at, 1), signal));
    const used = process.cpuUsage(before);
    const unchanged = await rate((at) => sink.putStub(stub(at, 1), signal));
    const updated = await rate((at) => sink.putStub(stub(at, 2), signal));
    const began = performance.now();
    let files = 0;
    for await (const _file of sink.walk('', signal)) files++;
    const walked = Math.round((files / (performance.now() - began)) * 1000);
    const removed = await rate((at) => sink.remove(stub(at, 2).key, signal));
    const cpuMicrosPerStub = Math.round((used.user + used.system) / stubs);
    return { stubs, created, unchanged, updated, walked, removed, cpuMicrosPerStub };
  } finally {
    await sink.close();
    await rm(root, { recursive: true, force: true });
  }
}
