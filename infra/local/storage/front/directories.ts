import type { BlobServiceClient } from '@azure/storage-blob';
import pLimit from 'p-limit';
import { formatKey, type Key } from '../../../../namespace/key.ts';
import { directoryEvent } from '../events/directory-event.ts';
import type { Journal } from '../journal.ts';
import type { SequencerSource } from '../sequencer-source.ts';
import type { ChangeRecorder } from './change-recorder.ts';

export interface DirectoryParts {
  /** Past the front: what is done here is told of by one event, and by none of each blob. */
  readonly azurite: BlobServiceClient;
  readonly recorder: ChangeRecorder;
  readonly journal: Journal;
  readonly sequencers: SequencerSource;
  /** Scheme, host and port of the account's endpoint, for the events' urls. */
  readonly origin: () => string;
}

const AT_ONCE = 16;
const PAGE = 1_000;

/** The directory holds something, and was to be deleted only where it is empty. */
export class DirectoryNotEmpty extends Error {
  readonly statusCode = 409;
}

/** Where no blob is below a name there is no such directory, as far as it can be told here: Azurite has none. */
export class NoSuchDirectory extends Error {
  readonly statusCode = 404;
}

/** A directory cannot be moved to itself or below itself: it would never be empty. */
export class RenameIntoItself extends Error {
  readonly statusCode = 409;
}

/**
 * Renames and deletes directories as an account with a hierarchical namespace does: at once for all who write through
 * the front, since both containers are held meanwhile. Unlike there, a moved blob has a new ETag: Azurite copies it.
 */
export class Directories {
  readonly #parts: DirectoryParts;

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
  }

  /** @throws RenameIntoItself, NoSuchDirectory @returns how many blobs were moved. */
  async rename(directory: Key, renamedTo: Key): Promise<number> {
    const isBelow = `${renamedTo.name}/`.startsWith(`${directory.name}/`);
    if (isBelow && renamedTo.container === directory.container) {
      throw new RenameIntoItself(`'${renamedTo.name}' is the directory '${directory.name}' itself, or below it`);
    }
    return await this.#change(directory, renamedTo, true, async (name) => {
      const { azurite } = this.#parts;
      const source = azurite.getContainerClient(directory.container).getBlobClient(name);
      const moved = renamedTo.name + name.slice(directory.name.length);
      const target = azurite.getContainerClient(renamedTo.container).getBlobClient(moved);
      await (await target.beginCopyFromURL(source.url)).pollUntilDone();
      await source.delete({ deleteSnapshots: 'include' });
    });
  }

  /** @throws DirectoryNotEmpty without `recursive`, where something is in it. @returns how many blobs were deleted. */
  delete(directory: Key, recursive: boolean): Promise<number> {
    const container = this.#parts.azurite.getContainerClient(directory.container);
    return this.#change(directory, undefined, recursive, async (name) => {
      if (!recursive) throw new DirectoryNotEmpty(`the directory '${directory.name}' is not empty`);
      await container.getBlobClient(name).delete({ deleteSnapshots: 'include' });
    });
  }

  async #change(
    directory: Key,
    renamedTo: Key | undefined,
    recursive: boolean,
    each: (name: string) => Promise<void>,
  ): Promise<number> {
    const { azurite, recorder, journal, sequencers, origin } = this.#parts;
    const containers = [directory.container, renamedTo?.container ?? directory.container];
    const releases = await recorder.lockContainers(containers);
    try {
      const container = azurite.getContainerClient(directory.container);
      const limit = pLimit(AT_ONCE);
      let blobs = 0;
      // Each page empties the directory by so much: the first is asked for until there is none.
      for (let more = true; more; ) {
        const pages = container.listBlobsFlat({ prefix: `${directory.name}/` }).byPage({ maxPageSize: PAGE });
        const { value } = await pages.next();
        const names: string[] = (value?.segment.blobItems ?? []).map((item: { name: string }) => item.name);
        await limit.map(names, each);
        blobs += names.length;
        more = names.length > 0;
      }
      if (renamedTo !== undefined && blobs === 0) {
        throw new NoSuchDirectory(`there is no directory '${formatKey(directory)}' to rename: no blob is below it`);
      }
      const stamp = sequencers.next();
      journal.append(directoryEvent({ directory, renamedTo, recursive, stamp, origin: origin() }));
      return blobs;
    } finally {
      for (const release of releases) release();
    }
  }
}
