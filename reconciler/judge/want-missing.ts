import { listContainers, noteContainerGone } from '../../schema/index/containers.ts';
import { markFindings, readFindings } from '../../schema/index/findings.ts';
import { type LiveRules, underLiveRules } from '../../schema/index/live-rules.ts';
import { wantLooks } from '../../schema/index/looks.ts';
import type { Judging } from '../judging.ts';
import { containerGoneAt } from '../listing/list-container.ts';
import type { RunLedger, Step } from '../run/ledger.ts';
import { NO_LOOKS_LEFT } from './judge-differing.ts';

const PIECE = 1_000;

/**
 * Asks again the containers that said that they are gone; their own 404 ends all of their names. One that is there
 * again is no longer among them: its names are looked at as others are.
 */
export async function confirmGoneContainers(judging: Judging, ledger: RunLedger, signal: AbortSignal): Promise<void> {
  const { goneContainers, goneConfirmed } = ledger.state;
  if (goneConfirmed || goneContainers.length === 0) return;
  const known = await listContainers(judging.index.db, judging.account.id);
  const gone = known.filter(({ id }) => goneContainers.includes(id));
  const times = new Map<string, number>();
  for (const { name } of gone) {
    signal.throwIfAborted();
    const at = await containerGoneAt(judging.blobs, name, signal);
    if (at !== undefined) times.set(name, at);
  }
  await ledger.step(async (tx) => {
    for (const [name, at] of times) await noteContainerGone(tx, judging.account.id, name, at);
    const confirmed = gone.filter(({ name }) => times.has(name)).map(({ id }) => id);
    return { state: { goneContainers: confirmed, goneConfirmed: true } };
  });
}

/**
 * Asks for a look at each of the next names that the run holds, as far as it may: only a 404 of its own makes a
 * tombstone (invariant 7).
 *
 * @returns false where none was left.
 */
export async function wantMissingPiece(judging: Judging, ledger: RunLedger): Promise<boolean> {
  let left = true;
  const { run } = ledger;
  const gone = new Set(
    (await listContainers(judging.index.db, judging.account.id))
      .filter(({ id }) => ledger.state.goneContainers.includes(id))
      .map(({ name }) => name),
  );
  const step = (rules: LiveRules) =>
    ledger.step(async (tx): Promise<Step> => {
      const { afterFinding, asked, unasked } = ledger.state;
      const held = await readFindings(tx, run.id, {
        ...{ states: ['held'], difference: 'not-listed', after: afterFinding, limit: PIECE },
      });
      left = held.length > 0;
      if (!left) return {};
      const single = held.filter(({ container }) => !gone.has(container));
      const most = Math.max(0, judging.federation.reconcile.looksPerRun - asked);
      const wanted = single.slice(0, most);
      const beyond = single.slice(most);
      const looks = await wantLooks(tx, {
        accountId: judging.account.id,
        keys: wanted.map(({ container, name }) => ({ container, name })),
        reason: 'not-listed',
        ruleRevision: rules.revision,
        eventId: `run/${run.id}`,
        time: ledger.state.from ?? undefined,
      });
      const skipped = new Set(beyond);
      await markFindings(
        tx,
        held.filter((finding) => !skipped.has(finding)).map(({ id }) => id),
        { state: 'looking' },
      );
      await markFindings(
        tx,
        beyond.map(({ id }) => id),
        { state: 'open', note: NO_LOOKS_LEFT },
      );
      return {
        state: {
          afterFinding: held.at(-1)?.id ?? afterFinding,
          asked: asked + looks,
          unasked: unasked + beyond.length,
        },
        counts: { looks },
      };
    });
  await underLiveRules(judging, step);
  return left;
}
