import type { Judging } from '../judging.ts';

/** Whether the index has an entry that is stored as live, in this container or, without one, in the account. */
export async function holdsLive(judging: Pick<Judging, 'index' | 'account'>, containerId?: number): Promise<boolean> {
  let query = judging.index.db
    .selectFrom('entries')
    .select('revision')
    .where('account_id', '=', judging.account.id)
    .where('live', '=', true);
  if (containerId !== undefined) query = query.where('container_id', '=', containerId);
  return (await query.limit(1).executeTakeFirst()) !== undefined;
}
