import { type RawBuilder, sql } from 'kysely';
import { parseKey } from '../../namespace/key.ts';
import { upperBound } from '../../namespace/prefix.ts';
import type { ContainerRow } from './containers.ts';
import { storedName } from './names.ts';

type Named = ContainerRow & { readonly name: string };

/** The containers that a plain prefix of `container/name` reaches, and the prefix of the names in them. */
export function prefixScope(
  prefix: string,
  containers: readonly Named[],
): { readonly containers: readonly Named[]; readonly name: string } {
  if (!prefix.includes('/')) {
    return { containers: containers.filter(({ name }) => name.startsWith(prefix)), name: '' };
  }
  const key = parseKey(prefix);
  return { containers: containers.filter(({ name }) => name === key.container), name: key.name };
}

/** Names of `e` with this prefix: a range, never a pattern, so that the primary key is searched. */
export function inPrefix(prefix: string): RawBuilder<boolean> {
  const { head, tail } = storedName(prefix);
  if (tail !== '') return sql`(e.head = ${head} and e.tail >= ${tail} ${below(sql`e.tail`, tail)})`;
  if (head === '') return sql`true`;
  return sql`(e.head >= ${head} ${below(sql`e.head`, head)})`;
}

function below(column: RawBuilder<unknown>, prefix: string): RawBuilder<unknown> {
  const bound = upperBound(prefix);
  return bound === undefined ? sql`` : sql`and ${column} < ${bound}`;
}

/** Names of `e` that come after this one. */
export function afterName(name: string): RawBuilder<boolean> {
  const { head, tail } = storedName(name);
  return sql`(e.head >= ${head} and (e.head > ${head} or e.tail > ${tail}))`;
}
