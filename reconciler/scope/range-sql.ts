import { type RawBuilder, sql } from 'kysely';
import { textArray } from '../../schema/index/arrays.ts';
import { storedName } from '../../schema/index/names.ts';
import type { NameRange } from './key-set.ts';

/** Names of `e` in this range. The heads alone bound the index scan; the tails settle names that share one. */
function inRange(range: NameRange): RawBuilder<boolean> {
  const from = storedName(range.from);
  const low = sql<boolean>`e.head >= ${from.head} and (e.head, e.tail) >= (${from.head}, ${from.tail})`;
  if (range.to === undefined) return low;
  const to = storedName(range.to);
  return sql`${low} and e.head <= ${to.head} and (e.head, e.tail) < (${to.head}, ${to.tail})`;
}

/** Names of `e` in any of these ranges, which are in order; thousands of rules make thousands of them. */
export function inRanges(ranges: readonly NameRange[]): RawBuilder<boolean> {
  const first = ranges[0];
  const last = ranges.at(-1);
  if (first === undefined || last === undefined) return sql`false`;
  const bounds = inRange({ from: first.from, to: last.to });
  if (ranges.length === 1) return bounds;
  const from = ranges.map((range) => storedName(range.from));
  const to = ranges.map((range) => (range.to === undefined ? undefined : storedName(range.to)));
  return sql`${bounds} and exists (
    select from unnest(
      ${textArray(from.map(({ head }) => head))}::text[], ${textArray(from.map(({ tail }) => tail))}::text[],
      ${textArray(to.map((name) => name?.head))}::text[], ${textArray(to.map((name) => name?.tail))}::text[]
    ) as r (from_head, from_tail, to_head, to_tail)
    where (e.head, e.tail) >= (r.from_head, r.from_tail)
      and (r.to_head is null or (e.head, e.tail) < (r.to_head, r.to_tail)))`;
}
