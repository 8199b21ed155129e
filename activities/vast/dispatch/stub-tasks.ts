import type { Key } from '../../../namespace/key.ts';
import { otherNames } from '../../../namespace/renames.ts';
import { stubSink } from '../../../namespace/rule.ts';
import type { Index } from '../../../schema/index/database.ts';
import { recentRenames } from '../../../schema/index/renames.ts';
import {
  claimStubs,
  giveBackStubs,
  hasLiveBelow,
  markStubsDue,
  releaseStubs,
  type StubResult,
  type StubTask,
} from '../../../schema/index/stubs.ts';
import type { Services } from '../../services.ts';

/** The stub tasks of one sink, as a dispatcher sees them. Tests keep them in memory. */
export interface StubTasks {
  claim(limit: number, leaseMs: number): Promise<readonly StubTask[]>;
  release(results: readonly StubResult[]): Promise<void>;
  /** Frees what was claimed and not begun. */
  giveBack(tasks: readonly StubTask[]): Promise<void>;
  markDue(keys: readonly Key[], which?: 'all' | 'not-shadowed'): Promise<void>;
  hasLiveBelow(key: Key): Promise<boolean>;
}

export function indexedTasks(services: Services, sink: string): StubTasks {
  const index: Index = services.index;
  const accountId = services.account.id;
  const { hierarchical } = services.federation.account;
  return {
    async claim(limit, leaseMs) {
      const rules = await services.rules();
      const tasks = await claimStubs(index, { accountId, sink, limit, leaseMs, rules: rules.index });
      // Asked after the claim: what is dead for a rename's sake was written after the rename.
      const renames = hierarchical && tasks.length > 0 ? await recentRenames(index.db, accountId) : [];
      if (renames.length === 0) return tasks;
      const others = otherNames(renames);
      const isOurs = (key: Key) => stubSink(rules.index.match(key)) === sink;
      return tasks.map((task) => {
        const names = task.live ? others.before(task.key) : others.after(task.key).filter(isOurs);
        return names.length === 0 ? task : { ...task, otherNames: names };
      });
    },
    async release(results) {
      await releaseStubs(index, accountId, results);
    },
    giveBack: (tasks) => giveBackStubs(index, accountId, tasks),
    async markDue(keys, which) {
      if (keys.length > 0) await markStubsDue(index.db, accountId, keys, which);
    },
    hasLiveBelow: (key) => hasLiveBelow(index.db, accountId, key),
  };
}
