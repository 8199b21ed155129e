import type { Index } from '../../schema/index/database.ts';

/** A fresh, migrated database of its own. */
export interface TestIndex extends AsyncDisposable {
  readonly index: Index;
  readonly url: string;
}

/** Clones the run's template. `await using db = await testIndex();` */
export async function testIndex(): Promise<TestIndex> {
  throw new Error('not built yet');
}
