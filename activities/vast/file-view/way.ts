import type { Stats } from 'node:fs';
import { type Files, unlessCode } from './files.ts';

/** What stands on the way from the root down to a path's parent. */
export type Way =
  | { readonly kind: 'open' }
  /** The directory with this many components, and all below it, are not there. */
  | { readonly kind: 'missing'; readonly from: number }
  /** A file stands where a directory must be. */
  | { readonly kind: 'file'; readonly path: string; readonly at: string; readonly stat: Stats }
  | { readonly kind: 'blocked'; readonly reason: string };

/** Looks at every component: a symbolic link is never followed, wherever it points. */
export function wayTo(files: Files, root: string, components: readonly string[]): Way {
  let path = '';
  for (let depth = 1; depth < components.length; depth++) {
    path = depth === 1 ? (components[0] ?? '') : `${path}/${components[depth - 1]}`;
    const at = `${root}/${path}`;
    const stat = files.stat(at);
    if (stat === undefined) return { kind: 'missing', from: depth };
    if (stat.isDirectory()) continue;
    if (stat.isFile()) return { kind: 'file', path, at, stat };
    return { kind: 'blocked', reason: `${kindOf(stat)} stands at '${path}'` };
  }
  return { kind: 'open' };
}

/** What a thing is called that is neither a file nor a directory of ours. */
export function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return 'a symbolic link';
  if (stat.isDirectory()) return 'a directory';
  return stat.isFile() ? 'a file' : 'a device, pipe or socket';
}

/** Makes the directories that the way lacks. Another writer may make the same ones, or take them away again. */
export function makeWay(files: Files, root: string, components: readonly string[], way: Way): void {
  if (way.kind !== 'missing') return;
  for (let depth = way.from; depth < components.length; depth++) {
    unlessCode(() => files.makeDirectory(`${root}/${components.slice(0, depth).join('/')}`), 'EEXIST');
  }
}

/** What `rmdir` says of a directory that somebody uses. */
const IN_USE = ['ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOTDIR'];

/** Removes a directory if it is empty. @returns false where it is in use. */
export function removeIfEmpty(files: Files, at: string): boolean {
  return unlessCode(() => unlessCode(() => files.removeDirectory(at), 'ENOENT') ?? true, ...IN_USE) ?? false;
}

/** Removes the directories above a path that have become empty, up to and with the container's. */
export function pruneAbove(files: Files, root: string, components: readonly string[]): void {
  for (let depth = components.length - 1; depth > 0; depth--) {
    if (!removeIfEmpty(files, `${root}/${components.slice(0, depth).join('/')}`)) return;
  }
}
