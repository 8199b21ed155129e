import { compileRules } from '../../namespace/authority.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import type { Key } from '../../namespace/key.ts';
import { revisionsSince } from '../../schema/index/authority-revisions.ts';
import type { Queryable } from '../../schema/index/database.ts';
import { judgedAllAt, type Run } from '../../schema/index/runs.ts';

/** Since when a name has been under a Blob-authoritative rule; undefined where a judge has judged it since. */
export type RuledSince = (key: Key) => Timestamp | undefined;

/** Rules move seldom; what came before so many revisions counts as ruled for long. */
const MOST_REVISIONS = 50;

/** Reads the revisions that were live since everything was last judged. */
export async function readRuledSince(on: Queryable, run: Run): Promise<RuledSince> {
  const judgedAt = await judgedAllAt(on, run);
  const revisions = (await revisionsSince(on, run.accountId, judgedAt, MOST_REVISIONS)).map((revision) => ({
    publishedAt: revision.publishedAt,
    rules: compileRules(revision),
  }));
  return (key) => {
    let since: Timestamp | undefined;
    for (const { rules, publishedAt } of revisions) {
      if (rules.match(key)?.authority !== 'blob') return since;
      since = publishedAt;
    }
    return since !== undefined && (judgedAt === undefined || since > judgedAt) ? since : undefined;
  };
}
