import { type RawBuilder, sql } from 'kysely';
import { epochAt, epochTime } from '../../namespace/epoch.ts';
import { INCARNATION_SLACK } from '../../namespace/liveness.ts';
import { plainArray } from './arrays.ts';
import type { ContainerRow } from './containers.ts';

/** What kills an entry of a container, as bounds that its columns are held against. */
interface Bounds {
  /** Epochs below are dead. Hex. */
  readonly newest: string | undefined;
  /** Without an epoch: times before are dead. */
  readonly deadBefore: number | undefined;
  /** The container's own 404 kills what is older, */
  readonly goneBefore: number | undefined;
  /** may kill what is not newer, */
  readonly goneUntil: number | undefined;
  /** and spares this epoch and those above. Hex. */
  readonly goneEpoch: string | undefined;
}

function boundsOf({ newestEpoch, goneAt, margin }: ContainerRow): Bounds {
  return {
    newest: newestEpoch,
    deadBefore: newestEpoch === undefined ? undefined : epochTime(newestEpoch) - INCARNATION_SLACK,
    goneBefore: goneAt === undefined ? undefined : goneAt - margin,
    goneUntil: goneAt === undefined ? undefined : goneAt + margin,
    goneEpoch: goneAt === undefined ? undefined : epochAt(goneAt + 1),
  };
}

/** The bounds of these containers as a relation `k`, to be joined on `container_id`. */
export function lives(containers: readonly ContainerRow[]): RawBuilder<unknown> {
  const bounds = containers.map(boundsOf);
  return sql`(
    select container_id, decode(newest, 'hex') as newest, dead_before, gone_before, gone_until,
      decode(gone_epoch, 'hex') as gone_epoch
    from unnest(
      ${plainArray(containers.map(({ id }) => id))}::int[],
      ${plainArray(bounds.map(({ newest }) => newest))}::text[],
      ${plainArray(bounds.map(({ deadBefore }) => deadBefore))}::bigint[],
      ${plainArray(bounds.map(({ goneBefore }) => goneBefore))}::bigint[],
      ${plainArray(bounds.map(({ goneUntil }) => goneUntil))}::bigint[],
      ${plainArray(bounds.map(({ goneEpoch }) => goneEpoch))}::text[]
    ) as bounds (container_id, newest, dead_before, gone_before, gone_until, gone_epoch)
  ) as k`;
}

/** Whether `e` tells its incarnation by an epoch: a look's entry does not. */
const byEpoch = `(e.look is null and e.epoch is not null)`;

/** Whether the incarnation of entry `e` is gone, by the bounds `k`: agrees with `lifeOf`. */
export const isDeadSql: RawBuilder<boolean> = sql.raw(`(
  coalesce(case when ${byEpoch} then e.epoch < k.newest else e.seen < k.dead_before end, false)
  or coalesce(e.seen < k.gone_before and not (${byEpoch} and e.epoch >= k.gone_epoch), false)
)`);

/** Whether it is gone, or too near the container's own 404 to tell. */
export const isDeadOrUnsureSql: RawBuilder<boolean> = sql.raw(`(
  coalesce(case when ${byEpoch} then e.epoch < k.newest else e.seen < k.dead_before end, false)
  or coalesce(e.seen <= k.gone_until and not (${byEpoch} and e.epoch >= k.gone_epoch), false)
)`);
