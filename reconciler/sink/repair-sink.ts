import { underLiveRules } from '../../schema/index/live-rules.ts';
import { wantLooks } from '../../schema/index/looks.ts';
import { markStubsDue, STUB_STATES, type StubState } from '../../schema/index/stubs.ts';
import { type Examined, examinePieces } from './examine.ts';
import type { JudgedSink, SinkJudging } from './sink-judging.ts';
import type { SinkLedger } from './sink-ledger.ts';
import type { SinkStaging, Suspect } from './sink-staging.ts';
import type { Remedy } from './verdict.ts';

/** States in which the last writer told why the sink cannot show the name: to make it due again changes nothing. */
const TOLD: ReadonlySet<StubState> = new Set<StubState>(
  STUB_STATES.filter((state) => state !== 'none' && state !== 'stub' && state !== 'hydrated'),
);

/** The phase `repair`: everything that was confirmed is made due, once. Ends in `settle`. */
export async function repairSink(
  judging: SinkJudging,
  judged: JudgedSink,
  ledger: SinkLedger,
  staging: SinkStaging,
  signal: AbortSignal,
): Promise<void> {
  const from = { after: ledger.state.after, which: 'confirmed' } as const;
  for await (const { examined, last } of examinePieces(judging, judged, staging, from, signal)) {
    await mend(judging, judged, ledger, staging, { examined, after: last, first: true }, signal);
  }
  await ledger.step(async (tx) => {
    await staging.assertKept(tx);
    return { state: { phase: 'settle', after: 0 } };
  });
}

/**
 * One pass over what is not mended yet.
 *
 * @returns how many are still not.
 */
export async function followRepairs(
  judging: SinkJudging,
  judged: JudgedSink,
  ledger: SinkLedger,
  staging: SinkStaging,
  signal: AbortSignal,
): Promise<number> {
  let left = 0;
  const from = { after: 0, which: 'confirmed' } as const;
  for await (const { examined } of examinePieces(judging, judged, staging, from, signal)) {
    left += await mend(judging, judged, ledger, staging, { examined, after: 0, first: false }, signal);
  }
  return left;
}

/** Whether nothing more comes of making it due. */
export function isAtEnd({ verdict, entry }: Examined<unknown>): 'repaired' | 'open' | undefined {
  if (verdict.kind === 'right') return 'repaired';
  if (verdict.kind === 'on-its-way') return undefined;
  // What was to be removed is, unless it may not be.
  if (verdict.remedy === 'none' || verdict.remedy === 'remove') return 'open';
  return entry !== undefined && TOLD.has(entry.stubState) ? 'open' : undefined;
}

/** @returns how many are not mended yet. */
async function mend(
  judging: SinkJudging,
  { sink }: JudgedSink,
  ledger: SinkLedger,
  staging: SinkStaging,
  of: { readonly examined: readonly Examined<Suspect>[]; readonly after: number; readonly first: boolean },
  signal: AbortSignal,
): Promise<number> {
  const { account } = judging;
  const outcomes = new Map<number, string>();
  const wanted: Record<Remedy, Suspect[]> = { due: [], look: [], remove: [], none: [] };
  for (const each of of.examined) {
    // What the last writer told may be long ago: it is tried once.
    const end = of.first && each.verdict.kind === 'wrong' && each.verdict.remedy !== 'none' ? undefined : isAtEnd(each);
    if (end !== undefined) outcomes.set(each.suspect.id, end);
    else if (each.verdict.kind === 'wrong') wanted[each.verdict.remedy].push(each.suspect);
  }
  for (const key of wanted.remove) {
    const gone = await sink.remove(key, signal);
    if (gone.outcome === 'conflict') outcomes.set(key.id, 'open');
  }
  await underLiveRules(judging, (rules) =>
    ledger.step(async (tx) => {
      await staging.assertKept(tx);
      // A rule may have named this sink just before the file was removed: then it is due once more.
      await markStubsDue(tx, account.id, [...wanted.due, ...wanted.remove]);
      if (wanted.look.length > 0) {
        await wantLooks(tx, {
          accountId: account.id,
          keys: wanted.look,
          reason: 'stub-stray',
          ruleRevision: rules.revision,
          eventId: `run/${ledger.run.id}`,
        });
      }
      await staging.note(tx, 'outcome', outcomes);
      return { state: { after: of.after } };
    }),
  );
  return of.examined.length - outcomes.size;
}
