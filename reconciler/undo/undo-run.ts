import { formatKey, type Key } from '../../namespace/key.ts';
import { isLive } from '../../namespace/liveness.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { entriesNow } from '../../schema/index/entries-now.ts';
import { type Finding, readFindings, type Settled, settleFindings } from '../../schema/index/findings.ts';
import { recordJournal } from '../../schema/index/journal.ts';
import { underLiveRules } from '../../schema/index/live-rules.ts';
import { wantLooks } from '../../schema/index/looks.ts';
import { readRun } from '../../schema/index/runs.ts';
import { transact } from '../../schema/index/transact.ts';
import { seenVersion } from '../causes/finding-of.ts';
import type { Judging } from '../judging.ts';

/** Names that are looked at, and waited for, together. */
const PIECE = 1_000;
/** Names of blobs that do not exist that are told. */
const MOST_EXAMPLES = 20;

export interface UndoWaiting {
  /** How long the looks of one piece are waited for. */
  readonly mostMs: number;
  readonly pollMs: number;
}

const DEFAULT_WAITING: UndoWaiting = { mostMs: 600_000, pollMs: 200 };

/** What an undo did by now. */
export interface Undone {
  readonly looked: number;
  /** Blobs that exist: they are live in the index again. */
  readonly restored: number;
  /** Blobs that do not exist: they stay deleted. */
  readonly gone: number;
  /** Looks that were not answered in time; an undo that is asked for again goes on with them. */
  readonly unanswered: number;
  /** The first of those that are gone. */
  readonly examples: readonly Key[];
}

/**
 * Takes back what a run deleted, as far as it exists: looks again at every name that it did not find listed and then
 * deleted. The look restores it where it is there. Nothing is concluded from anything else, so that it may be asked
 * for again and again, and after it died.
 *
 * @throws ISTHMUS_USAGE where the account has no such run, or it has not ended.
 */
export async function undoRun(
  judging: Judging,
  runId: number,
  signal: AbortSignal,
  onProgress: (undone: Undone) => void = () => {},
  waiting: UndoWaiting = DEFAULT_WAITING,
): Promise<Undone> {
  const { index, account } = judging;
  const run = await readRun(index.db, runId);
  if (run === undefined || run.accountId !== account.id) {
    throw new IsthmusError('ISTHMUS_USAGE', `The account ${account.name} has no run ${runId}.`);
  }
  if (run.outcome === undefined) {
    throw new IsthmusError('ISTHMUS_USAGE', `Run ${runId} has not ended: undo it once it has.`);
  }
  let undone: Undone = { looked: 0, restored: 0, gone: 0, unanswered: 0, examples: [] };
  for (let after = 0; ; ) {
    signal.throwIfAborted();
    const of = { states: ['repaired', 'looking'], difference: 'not-listed', after, limit: PIECE } as const;
    const looked = await readFindings(index.db, runId, of);
    const last = looked.at(-1);
    if (last === undefined) break;
    after = last.id;
    const findings = await deletedAmong(judging, looked);
    await lookAgain(judging, runId, findings);
    await waitForAnswers(judging, findings, waiting, signal);
    const piece = await settle(judging, findings);
    undone = {
      looked: undone.looked + findings.length,
      restored: undone.restored + piece.restored,
      gone: undone.gone + piece.gone.length,
      unanswered: undone.unanswered + piece.unanswered,
      examples: [...undone.examples, ...piece.gone].slice(0, MOST_EXAMPLES),
    };
    onProgress(undone);
  }
  const { examples, ...detail } = undone;
  await recordJournal(index.db, account.id, [{ kind: 'reconcile-undone', detail: { run: runId, ...detail } }]);
  return undone;
}

/** A look may have found another version in its place, which deleted nothing; one that came after the run's end told the index alone. */
async function deletedAmong(judging: Judging, looked: readonly Finding[]): Promise<readonly Finding[]> {
  const now = await readNow(judging, looked);
  return looked.filter((finding) => {
    if (finding.state === 'repaired') return finding.evidence.look?.live === false;
    const is = now.get(formatKey(finding));
    return is?.entry === undefined || !isLive(is.entry, is.container, judging.account.margin);
  });
}

async function lookAgain(judging: Judging, runId: number, findings: readonly Finding[]): Promise<void> {
  const keys = findings.map(({ container, name }): Key => ({ container, name }));
  await underLiveRules(judging, ({ revision }) =>
    transact(judging.index, (tx) =>
      wantLooks(tx, {
        ...{ accountId: judging.account.id, keys, reason: 'not-listed', ruleRevision: revision },
        eventId: `undo/${runId}`,
      }),
    ),
  );
}

/** Until none of these has a look due, or the time is up. */
async function waitForAnswers(
  judging: Judging,
  findings: readonly Finding[],
  { mostMs, pollMs }: UndoWaiting,
  signal: AbortSignal,
): Promise<void> {
  const until = judging.clock.now() + mostMs;
  for (;;) {
    signal.throwIfAborted();
    const now = await readNow(judging, findings);
    const pending = [...now.values()].some(({ entry }) => entry?.lookDue === true);
    if (!pending || judging.clock.now() >= until) return;
    await judging.clock.sleep(pollMs, signal);
  }
}

function readNow({ index, account }: Judging, findings: readonly Finding[]) {
  return transact(index, (tx) => entriesNow(tx, account.id, findings), { byKey: true });
}

interface Piece {
  readonly restored: number;
  readonly gone: readonly Key[];
  readonly unanswered: number;
}

async function settle(judging: Judging, findings: readonly Finding[]): Promise<Piece> {
  const { index, account } = judging;
  return transact(
    index,
    async (tx) => {
      const now = await entriesNow(tx, account.id, findings);
      const restored: Settled[] = [];
      const gone: Key[] = [];
      let unanswered = 0;
      for (const finding of findings) {
        const { container, name } = finding;
        const is = now.get(formatKey(finding));
        if (is?.entry?.lookDue === true) unanswered++;
        else if (is?.entry !== undefined && isLive(is.entry, is.container, account.margin)) {
          const look = { ...seenVersion({ ...is.entry.attributes }), live: true, at: is.entry.look };
          restored.push({ id: finding.id, cause: finding.cause, state: 'undone', evidence: { look } });
        } else gone.push({ container, name });
      }
      await settleFindings(tx, restored);
      return { restored: restored.length, gone, unanswered };
    },
    { byKey: true },
  );
}
