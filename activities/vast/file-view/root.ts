import { type Stats, statSync } from 'node:fs';
import { IsthmusError } from '../../../schema/errors.ts';
import { errorCode, type Files, unlessCode } from './files.ts';
import { TEMP_FOLDER, type ViewSettings } from './settings.ts';

/** What says of a path that the file system it was on is not there. */
const GONE = ['ENOENT', 'ENOTDIR', 'ESTALE'];

/** Of a root that is not there. Isthmus never makes one: it would be a plain folder below the mount point. */
export function rootIsGone(root: string): IsthmusError {
  return new IsthmusError('ISTHMUS_SINK', `the root '${root}' is gone: is the view mounted?`);
}

/** The file system and the inode, which tell a root from the mount point below it. */
export function nodeOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/**
 * Throws `ISTHMUS_SINK` where the root is not there, or is not the one that was probed. A view that was mounted anew may
 * be another node, and has its folder of temporary files; one that was tidied has not, and is the same node.
 */
export function requireRoot({ root, rootNode }: Pick<ViewSettings, 'root' | 'rootNode'>, files: Files): void {
  const stat = unlessCode(() => files.stat(root), ...GONE);
  if (stat === undefined) throw rootIsGone(root);
  if (nodeOf(stat) !== rootNode && files.stat(`${root}/${TEMP_FOLDER}`) === undefined) throw rootIsGone(root);
}

/** @throws IsthmusError `ISTHMUS_SINK` where there is no root to probe. What else is wrong with it, the probe finds. */
export function requireRootToProbe(root: string): void {
  try {
    statSync(root);
  } catch (error) {
    if (GONE.includes(errorCode(error) ?? '')) throw rootIsGone(root);
  }
}
