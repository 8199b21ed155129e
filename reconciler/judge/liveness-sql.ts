import { type RawBuilder, sql } from 'kysely';
import type { ContainerState } from '../../namespace/container.ts';
import { epochAt, epochTime } from '../../namespace/epoch.ts';
import { INCARNATION_SLACK } from '../../namespace/liveness.ts';

/**
 * `lifeOf(...) === 'dead'` of `namespace/liveness.ts` for a row `e` of `entries` in this container, as SQL: a
 * test on random entries holds the two together. Whatever a container is known of is constant in a statement.
 */
export function isDeadSql(container: ContainerState, margin: number): RawBuilder<boolean> {
  const { newestEpoch, goneAt } = container;
  const known = sql`(case when e.look is null then e.epoch end)`;
  const dead: RawBuilder<unknown>[] = [sql`false`];
  if (newestEpoch !== undefined) {
    dead.push(sql`
      case when ${known} is null then e.seen < ${epochTime(newestEpoch) - INCARNATION_SLACK}::bigint
        else ${known} < decode(${newestEpoch}, 'hex') end`);
  }
  if (goneAt !== undefined) {
    // Epochs later than the 404, in whole milliseconds, are those from the next one on.
    const later = sql`(${known} is not null and ${known} >= decode(${epochAt(goneAt + 1)}, 'hex'))`;
    dead.push(sql`e.seen < ${goneAt - margin}::bigint and not ${later}`);
  }
  return sql<boolean>`(${sql.join(
    dead.map((each) => sql`(${each})`),
    sql` or `,
  )})`;
}
