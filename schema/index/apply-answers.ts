import type { LookAnswer } from '../../namespace/change.ts';
import { decide } from '../../namespace/decide.ts';
import type { ClockPolicy } from '../../namespace/decision.ts';
import { compareKeys, type Key } from '../../namespace/key.ts';
import { holdAccount } from './accounts.ts';
import { ensureContainers } from './containers.ts';
import type { Tx } from './database.ts';
import { queueLooks, unqueueLooks } from './look-queue.ts';
import type { PageScope } from './page.ts';
import { marker, type PageKey, pageKey } from './page-rows.ts';
import { type Decided, writeDecided } from './page-writer.ts';
import { readLeft } from './read-left.ts';
import { ensureSinks } from './sinks.ts';
import { upsertPage } from './upsert-page.ts';

/** How long a look waits that came too close to its container's own 404 to count: asking at once would say the same. */
const TOO_CLOSE_MS = 2_000;

/** Applies the answers of looks and takes them off the queue. `moved` counts those whose entry moved meanwhile: they are due at once. */
export async function applyLooks(
  tx: Tx,
  page: PageScope & { readonly answers: readonly LookAnswer[] },
): Promise<{ readonly applied: number; readonly moved: number }> {
  const { account, rules, ruleRevision } = page;
  const { clock } = await holdAccount(tx, account.id, ruleRevision);
  const policy: ClockPolicy = { ...page.policy, ...clock };
  const answers = lastOfEachKey(page.answers);
  const containers = await ensureContainers(tx, account.id, [...new Set(answers.map((answer) => answer.container))]);
  const matched = answers.map((answer) => rules.match(answer));
  const sinks = await ensureSinks(tx, account.id, [...new Set(matched.flatMap((rule) => rule?.sink ?? []))]);
  const rows = answers.map((answer, at) => {
    const sinkId = sinks.get(matched[at]?.sink ?? '');
    return { ...pageKey(containers.get(answer.container)?.id ?? 0, answer.name), entry: marker(answer), sinkId };
  });

  await upsertPage(tx, account.id, rows, policy);
  const decided: Decided[] = [];
  const moved: PageKey[] = [];
  const dropped: PageKey[] = [];
  for (const { at, entry: before } of await readLeft(tx, account.id, rows, policy)) {
    const answer = answers[at];
    const row = rows[at];
    const container = containers.get(answer?.container ?? '');
    if (answer === undefined || row === undefined || container === undefined) continue;
    const decision = decide(before, answer, container, matched[at], policy, ruleRevision);
    const key = { ...row, before, container };
    switch (decision.outcome) {
      case 'apply':
        decided.push({ ...key, next: decision.next, wanted: undefined });
        dropped.push(row);
        break;
      case 'look':
        decided.push({ ...key, next: decision.next, wanted: decision.reason, wantedInMs: TOO_CLOSE_MS });
        break;
      case 'ignore':
      case 'refuse':
        decided.push({ ...key, next: before, wanted: undefined });
        // Whoever moved the entry has wanted another look; where nobody waits for one any more, none is kept.
        if (decision.reason === 'entry-moved' && before?.lookDue === true) moved.push(row);
        else dropped.push(row);
        break;
    }
  }
  await writeDecided(tx, account.id, decided, policy.margin);
  await unqueueLooks(tx, account.id, dropped);
  await queueLooks(
    tx,
    account.id,
    moved.map((key) => ({ ...key, reason: 'look-due', inMs: 0 })),
  );
  return { applied: decided.filter(({ before, next }) => next !== before).length, moved: moved.length };
}

/** In key order; of two answers for one key the later one counts. */
function lastOfEachKey<T extends Key>(changes: readonly T[]): readonly T[] {
  const sorted = changes.toSorted(compareKeys);
  return sorted.filter((change, at) => {
    const following = sorted[at + 1];
    return following === undefined || compareKeys(change, following) !== 0;
  });
}
