/** How one view is written; probed once, then the same in every thread. */
export interface ViewSettings {
  /** Absolute, with no symbolic link in it. */
  readonly root: string;
  /** See `nodeOf`: of the root as it was probed. */
  readonly rootNode: string;
  readonly attributes: 'xattr' | 'sidecar';
  /** This process writes attributes through mode 0000: a stub can be made with that mode at once. */
  readonly writesThroughMode: boolean;
  /** Of a hydrated file. */
  readonly hydratedMode: number;
}

/**
 * Temporary files, below the root: stubs under way of each thread in a folder of its own; beside those folders bytes that
 * are being fetched and bytes that were kept, which any thread takes. No container's name starts with a dot.
 */
export const TEMP_FOLDER = '.isthmus-tmp';
/** Sidecar files, below the root, where there are no extended attributes. */
export const SIDECAR_FOLDER = '.isthmus';
