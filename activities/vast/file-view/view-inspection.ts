import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { ensureError } from '../../../schema/errors.ts';
import type { SinkCapabilities } from '../../../schema/ports/sink.ts';
import { errorCode, type Files, loadExtendedAttributes, systemFiles } from './files.ts';
import { probeView } from './probe.ts';
import { SIDECAR_FOLDER, TEMP_FOLDER } from './settings.ts';
import { threadFolder } from './temp-files.ts';
import { type SeenRoot, seeRoot } from './view-identity.ts';

/** What is left of a file system, as who asks may use it. */
export interface Space {
  readonly bytes: number;
  readonly freeBytes: number;
  /** 0 where the file system does not count them. */
  readonly inodes: number;
  readonly freeInodes: number;
}

/** How a root is. `refused`: something there cannot be written, or would merge names. */
export type ViewInspection =
  | { readonly kind: 'missing' | 'no-folder' }
  | { readonly kind: 'refused'; readonly code: string | undefined; readonly reason: string }
  | {
      readonly kind: 'probed';
      readonly seen: SeenRoot;
      readonly capabilities: SinkCapabilities;
      /** The optional package that reads and writes extended attributes is there. */
      readonly attributesCanBeAsked: boolean;
      readonly space: Space;
      /** This process is root, who reads everything on a local disk. */
      readonly asRoot: boolean;
    };

/**
 * Tries a root out by the worker's own probe, which writes files and removes them, and by a rename over another file:
 * in a folder of its own, which goes with them, so that it leaves nothing behind and takes nothing from a worker that
 * starts meanwhile. It blocks, for as long as a mount that hangs.
 */
export async function inspectView(root: string): Promise<ViewInspection> {
  const stat = statSync(root, { throwIfNoEntry: false });
  if (stat === undefined) return { kind: 'missing' };
  if (!stat.isDirectory()) return { kind: 'no-folder' };
  const own = `${root}/.isthmus-probe-${randomBytes(8).toString('hex')}`;
  try {
    // One that is there was made by a worker, as another user perhaps.
    for (const name of [TEMP_FOLDER, SIDECAR_FOLDER]) requireRights(`${root}/${name}`);
    for (let thread = 0; requireRights(`${root}/${threadFolder(thread)}`); thread++);
    const seen = seeRoot(root);
    mkdirSync(own, { mode: 0o700 });
    const attributes = await loadExtendedAttributes();
    const files = systemFiles(attributes);
    const { capabilities } = probeView({ root: own, hydratedMode: 0o644, attributes: 'probe' }, files);
    replaceByRename(own, files);
    return {
      kind: 'probed',
      seen,
      capabilities,
      attributesCanBeAsked: attributes !== undefined,
      space: spaceOf(root),
      asRoot: process.getuid?.() === 0,
    };
  } catch (error) {
    const { message, cause } = ensureError(error);
    return {
      kind: 'refused',
      code: errorCode(cause) ?? errorCode(error),
      reason: `${root} cannot be used: ${message}`,
    };
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** @returns false where it is not there. */
function requireRights(folder: string): boolean {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return false;
  accessSync(folder, constants.W_OK | constants.X_OK);
  return true;
}

/** A stub is put in place by this one step. */
function replaceByRename(folder: string, files: Files): void {
  const [from, to] = [`${folder}/from`, `${folder}/to`] as const;
  for (const path of [from, to]) files.close(files.create(path, 0o600));
  files.rename(from, to);
}

function spaceOf(root: string): Space {
  const { bsize, blocks, bavail, files, ffree } = statfsSync(root);
  return { bytes: blocks * bsize, freeBytes: bavail * bsize, inodes: files, freeInodes: ffree };
}
