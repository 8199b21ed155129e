import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { unlessCode } from './files.ts';
import { requireRootToProbe } from './root.ts';
import { TEMP_FOLDER } from './settings.ts';
import { sinkError } from './sink-error.ts';

/**
 * What tells a view from the mount point below it, and from another view: a file in its root. It is not in the folder of
 * temporary files, which may be tidied. No container's name starts with a dot.
 */
export const IDENTITY_FILE = '.isthmus-view';

/** What a root looks like before anything is written there. */
export interface SeenRoot {
  readonly root: string;
  /** The identity that it bears; none: it was never a view, or is from before there were identities. */
  readonly viewId: string | undefined;
  /** A worker has used it. */
  readonly wasUsed: boolean;
}

/** Who knows which view a sink has. */
export interface ViewIdentity {
  /**
   * @param look is called once it is known which view the sink has: that one bore its identity before it was known.
   * @throws IsthmusError `ISTHMUS_SINK` where the sink has another view: nothing is written to this one then.
   */
  check(look: () => SeenRoot): Promise<SeenRoot>;
  /**
   * Notes the identity that the root bears, for a sink that has none.
   *
   * @throws IsthmusError `ISTHMUS_SINK` where it has another by now.
   */
  take(root: string, viewId: string): Promise<void>;
  /** Notes that the root is the sink's view from now on, by the word of an operator. */
  adopt(root: string, viewId: string): Promise<void>;
}

/** Refuses a root that is not the sink's view, and gives an identity to one that has none. */
export async function meetView(root: string, identity: ViewIdentity): Promise<void> {
  requireRootToProbe(root);
  const seen = await identity.check(() => seeRoot(root));
  await identity.take(root, seen.viewId ?? identify(root));
}

/** Takes the root for the sink's view, whatever it had before. */
export async function adoptView(root: string, identity: ViewIdentity): Promise<void> {
  requireRootToProbe(root);
  await identity.adopt(root, seeRoot(root).viewId ?? identify(root));
}

export function seeRoot(root: string): SeenRoot {
  return { root, viewId: readIdentity(root), wasUsed: existsSync(`${root}/${TEMP_FOLDER}`) };
}

function readIdentity(root: string): string | undefined {
  try {
    const text = unlessCode(() => readFileSync(`${root}/${IDENTITY_FILE}`, 'utf8').trim(), 'ENOENT', 'ENOTDIR');
    return text === '' ? undefined : text;
  } catch (error) {
    throw sinkError(`'${root}/${IDENTITY_FILE}'`, error);
  }
}

/**
 * Of two workers that start at once, the first decides. It is there with its word or not at all: read before that was
 * written, it would be taken for one whose maker has died.
 */
function identify(root: string): string {
  const path = `${root}/${IDENTITY_FILE}`;
  const viewId = randomUUID();
  const own = `${path}-${viewId}`;
  try {
    writeFileSync(own, `${viewId}\n`, { flag: 'wx', mode: 0o644 });
    try {
      linkSync(own, path);
    } catch {
      const first = readIdentity(root);
      if (first !== undefined) return first;
      // It is there without a word, as a server that crashed leaves one; or the file system knows no links.
      renameSync(own, path);
      return readIdentity(root) ?? viewId;
    } finally {
      rmSync(own, { force: true });
    }
    return viewId;
  } catch (error) {
    throw sinkError(`'${path}'`, error);
  }
}
