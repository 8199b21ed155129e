import pLimit from 'p-limit';
import { formatKey } from '../../namespace/key.ts';
import type { Evidence } from '../../schema/drift/evidence.ts';
import { isHydrating } from '../../schema/index/hydrations.ts';
import { readStubEntries, type StubEntry } from '../../schema/index/stub-entries.ts';
import { hasLiveBelow } from '../../schema/index/stubs.ts';
import type { Standing } from '../../schema/ports/sink.ts';
import type { JudgedSink, SinkJudging } from './sink-judging.ts';
import type { SinkStaging, Suspect } from './sink-staging.ts';
import { judgeName, type Verdict } from './verdict.ts';

/** Names that are looked at at once: each a round trip over NFS or two. */
const AT_ONCE = 32;

export interface Examined<T> {
  readonly suspect: T;
  readonly verdict: Verdict;
  readonly entry: StubEntry | undefined;
  readonly evidence: Evidence;
}

/** Names that are looked at in one step. */
const STEP = 500;

/** Examines the suspects of a kind that stand after this one, piece by piece, with the last of each piece. */
export async function* examinePieces(
  judging: SinkJudging,
  judged: JudgedSink,
  staging: SinkStaging,
  of: { readonly after: number; readonly which: 'all' | 'confirmed' },
  signal: AbortSignal,
): AsyncGenerator<{ readonly examined: readonly Examined<Suspect>[]; readonly last: number }> {
  for (let { after } = of; ; ) {
    signal.throwIfAborted();
    const suspects = await staging.next(after, STEP, of.which);
    const last = suspects.at(-1);
    if (last === undefined) return;
    yield { examined: await examine(judging, judged, suspects, signal), last: last.id };
    after = last.id;
  }
}

/**
 * Looks at each name on the sink itself, between two looks at its entry: where that moved meanwhile, the name is on its
 * way, and nothing is said of it.
 */
export async function examine<T extends Omit<Suspect, 'id'>>(
  { index, account, rules }: SinkJudging,
  { name: sink, sink: port }: JudgedSink,
  suspects: readonly T[],
  signal: AbortSignal,
): Promise<readonly Examined<T>[]> {
  const { index: match } = await rules();
  const before = await readStubEntries(index, account.id, suspects);
  const hydrating = await isHydrating(index.db, account.id);
  const limit = pLimit(AT_ONCE);
  const found = await Promise.all(
    suspects.map((key) =>
      limit(async () => {
        const standing = await port.inspect(key, signal);
        const liveBelow = standing.kind === 'directory' && (await hasLiveBelow(index.db, account.id, key));
        return { standing, liveBelow };
      }),
    ),
  );
  const after = await readStubEntries(index, account.id, suspects);
  return suspects.map((suspect, at) => {
    const key = formatKey(suspect);
    const entry = after.get(key);
    const { standing, liveBelow } = found[at] ?? { standing: { kind: 'absent' }, liveBelow: false };
    const verdict: Verdict = hasMoved(before.get(key), entry)
      ? { kind: 'on-its-way' }
      : judgeName({ key: suspect, sink, rule: match.match(suspect), entry, found: standing, liveBelow, hydrating });
    return { suspect, verdict, entry, evidence: evidenceOf(entry, standing, verdict) };
  });
}

function hasMoved(before: StubEntry | undefined, after: StubEntry | undefined): boolean {
  return before?.revision !== after?.revision || before?.stubAt !== after?.stubAt || before?.leased !== after?.leased;
}

function evidenceOf(entry: StubEntry | undefined, standing: Standing, verdict: Verdict): Evidence {
  const index = entry && {
    ...{ etag: entry.etag, length: entry.length, live: entry.live, seen: entry.seen, source: entry.source },
    state: entry.stubState,
  };
  const sink =
    standing.kind === 'file'
      ? { etag: standing.etag, length: standing.length, state: standing.state }
      : { state: standing.kind };
  return { index, sink, note: verdict.kind === 'wrong' ? verdict.note : undefined };
}
