import { directoriesOf } from './decide-subtree.ts';
import { formatKey, type Key } from './key.ts';

/** A directory that got another name, and all in it with it. Neither name has a closing slash. */
export interface DirectoryRename {
  readonly from: Key;
  readonly to: Key;
}

/** What else a blob may have been called, for no other reason than that directories above it were renamed. */
export interface OtherNames {
  /** Where it may have come from. */
  before(key: Key): readonly Key[];
  /** Where it may have gone. */
  after(key: Key): readonly Key[];
}

/** No blob has more names than this at a time; each is asked for in the sink. */
const MOST = 8;

/**
 * Follows renames of renames, in no order of time, the first given first. A name that came back is among its own. What
 * is found is a place to look for bytes and proves nothing of them: whoever finds some there compares their ETag.
 */
export function otherNames(renames: readonly DirectoryRename[]): OtherNames {
  const to = Map.groupBy(renames, (rename) => formatKey(rename.to));
  const from = Map.groupBy(renames, (rename) => formatKey(rename.from));
  return {
    before: (key) => follow(key, (directory) => to.get(directory)?.map((rename) => rename.from) ?? []),
    after: (key) => follow(key, (directory) => from.get(directory)?.map((rename) => rename.to) ?? []),
  };
}

function follow(key: Key, othersOf: (directory: string) => readonly Key[]): readonly Key[] {
  const found = new Map<string, Key>();
  const reached = [key];
  for (const { container, name } of reached) {
    for (const directory of directoriesOf(name)) {
      for (const other of othersOf(formatKey({ container, name: directory }))) {
        const next = { container: other.container, name: other.name + name.slice(directory.length) };
        const text = formatKey(next);
        if (found.has(text)) continue;
        if (found.size === MOST) return [...found.values()];
        found.set(text, next);
        reached.push(next);
      }
    }
  }
  return [...found.values()];
}
