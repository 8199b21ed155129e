import type { Key } from '../../../namespace/key.ts';
import type { Index } from '../../../schema/index/database.ts';
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
  return {
    async claim(limit, leaseMs) {
      const rules = await services.rules();
      return await claimStubs(index, { accountId, sink, limit, leaseMs, rules: rules.index });
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
