import { randomBytes } from 'node:crypto';
import { readdirSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { ensureError } from '../../../schema/errors.ts';
import type { SinkCapabilities } from '../../../schema/ports/sink.ts';
import { errorCode, type Files, loadExtendedAttributes, systemFiles } from './files.ts';
import { probeView } from './probe.ts';
import { SIDECAR_FOLDER, TEMP_FOLDER } from './settings.ts';

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
      readonly capabilities: SinkCapabilities;
      /** The optional package that reads and writes extended attributes is there. */
      readonly attributesCanBeAsked: boolean;
      readonly space: Space;
      /** This process is root, who reads everything on a local disk. */
      readonly asRoot: boolean;
    };

/**
 * Tries a root out by the worker's own probe, which writes files under a temporary name and removes them, and by a
 * rename over another file. Nothing is left behind: folders that were not there before go as well. It blocks, for as
 * long as a mount that hangs.
 */
export async function inspectView(root: string): Promise<ViewInspection> {
  const stat = statSync(root, { throwIfNoEntry: false });
  if (stat === undefined) return { kind: 'missing' };
  if (!stat.isDirectory()) return { kind: 'no-folder' };
  const made = [TEMP_FOLDER, SIDECAR_FOLDER].filter((folder) => !hasFolder(root, folder));
  try {
    const attributes = await loadExtendedAttributes();
    const files = systemFiles(attributes);
    const { capabilities } = probeView({ root, hydratedMode: 0o644, attributes: 'probe' }, files);
    replaceByRename(root, files);
    return {
      kind: 'probed',
      capabilities,
      attributesCanBeAsked: attributes !== undefined,
      space: spaceOf(root),
      asRoot: process.getuid?.() === 0,
    };
  } catch (error) {
    const { message, cause } = ensureError(error);
    return { kind: 'refused', code: errorCode(cause) ?? errorCode(error), reason: message };
  } finally {
    // One that is not empty is a worker's by now.
    for (const folder of made)
      if (hasFolder(root, folder) && readdirSync(`${root}/${folder}`).length === 0) rmdirSync(`${root}/${folder}`);
  }
}

function hasFolder(root: string, folder: string): boolean {
  return statSync(`${root}/${folder}`, { throwIfNoEntry: false }) !== undefined;
}

/** A stub is put in place by this one step. */
function replaceByRename(root: string, files: Files): void {
  const unique = randomBytes(8).toString('hex');
  const [from, to] = ['from', 'to'].map((end) => `${root}/${TEMP_FOLDER}/probe-${unique}-${end}`) as [string, string];
  try {
    for (const path of [from, to]) files.close(files.create(path, 0o600));
    files.rename(from, to);
  } finally {
    for (const path of [from, to]) if (files.stat(path) !== undefined) files.unlink(path);
  }
}

function spaceOf(root: string): Space {
  const { bsize, blocks, bavail, files, ffree } = statfsSync(root);
  return { bytes: blocks * bsize, freeBytes: bavail * bsize, inodes: files, freeInodes: ffree };
}
