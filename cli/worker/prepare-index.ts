import { rulesOf } from '../../schema/federation/canary.ts';
import type { Federation } from '../../schema/federation/federation.ts';
import { type Account, ensureAccount, setMargin } from '../../schema/index/accounts.ts';
import { publishRules } from '../../schema/index/authority-revisions.ts';
import type { Index } from '../../schema/index/database.ts';
import { migrateIndex } from '../../schema/index/migrate.ts';
import { publishRoots } from '../../schema/index/sinks.ts';

/**
 * Brings the index to this version's schema, and writes down what of the file it must know.
 *
 * @param note why the rules are published, where they have changed.
 */
export async function prepareIndex(
  index: Index,
  federation: Federation,
  note: string,
): Promise<{ readonly account: Account; readonly revision: number }> {
  await migrateIndex(index);
  const known = await ensureAccount(index, federation.account.name);
  const margin = federation.account.marginSeconds * 1_000;
  await setMargin(index.db, known.id, margin);
  const { revision } = await publishRules(index, known.id, rulesOf(federation), note);
  await publishRoots(index.db, known.id, federation.sinks);
  return { account: { ...known, margin }, revision };
}
