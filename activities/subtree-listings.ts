import { compareUtf8 } from '../namespace/key.ts';

/** As many directories of one parent are listed as the parent: a job that renames thousands has one listing for them. */
const SIBLINGS = 8;

/** As many as need no more listings than `most`, the first before all others: half of them, half of those, until so. */
export function nextToList<Subtree extends { readonly prefixes: readonly string[] }>(
  waiting: readonly Subtree[],
  most: number,
): { readonly subtrees: readonly Subtree[]; readonly listings: readonly string[] } {
  for (let count = waiting.length; ; count = Math.ceil(count / 2)) {
    const subtrees = waiting.slice(0, count);
    const listings = listingsFor(subtrees.flatMap(({ prefixes }) => prefixes));
    if (listings.length <= most || count <= 1) return { subtrees, listings };
  }
}

/**
 * Which prefixes of `container/name/` to list so that these are: each once, many of one parent as the parent, but
 * never a whole container for their sake. In key order.
 */
export function listingsFor(prefixes: readonly string[]): readonly string[] {
  const alone = withoutCovered(prefixes);
  const children = Map.groupBy(alone, parentOf);
  const merged = alone.map((prefix) => {
    const parent = parentOf(prefix);
    const crowded = parent !== undefined && (children.get(parent)?.length ?? 0) > SIBLINGS;
    return crowded ? parent : prefix;
  });
  return withoutCovered(merged);
}

/** The directory above; undefined where that is the container. */
function parentOf(prefix: string): string | undefined {
  const parent = prefix.slice(0, prefix.lastIndexOf('/', prefix.length - 2) + 1);
  return parent.indexOf('/') === parent.length - 1 ? undefined : parent;
}

/** Sorted, a prefix stands before all that it covers. */
function withoutCovered(prefixes: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const prefix of prefixes.toSorted(compareUtf8)) {
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return kept;
}
