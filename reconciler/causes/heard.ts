import type { Evidence } from '../../schema/drift/evidence.ts';
import { readSources, TRIGGER_SOURCES } from '../../schema/index/sources.ts';
import type { Judging } from '../judging.ts';

export type Heard = NonNullable<Evidence['heard']>;

/** How far each source has been heard by now: triggers by the newest one, the feed by its applied time. */
export async function readHeard({ index, account, federation }: Judging): Promise<Heard> {
  const sources = await readSources(index.db, account.id);
  const triggers = sources.filter(({ source }) => TRIGGER_SOURCES.some((each) => each === source));
  const trigger = Math.max(0, ...triggers.map(({ applied }) => applied ?? 0));
  const feed = federation.sources.changeFeed && sources.find(({ source }) => source === 'feed')?.applied;
  return { ...(trigger > 0 && { trigger }), ...(feed !== undefined && { feed }) };
}
