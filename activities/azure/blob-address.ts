import { BlobClient, type ContainerClient } from '@azure/storage-blob';
import { formatKey } from '../../namespace/key.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { PIPELINE } from './blob-service.ts';

/**
 * The client of one blob. A name with a `.` or `..` part goes with its slashes encoded: in a plain path the URL
 * parser takes such parts away (`%2e%2e` too), and another blob, or none, would answer in its place.
 *
 * @throws `ISTHMUS_SOURCE_UNAVAILABLE` for the names `.` and `..`, which no URL can carry.
 */
export function blobClient(container: ContainerClient, name: string): BlobClient {
  if (!name.split('/').some((part) => part === '.' || part === '..')) return container.getBlobClient(name);
  if (name === '.' || name === '..') {
    const key = formatKey({ container: container.containerName, name });
    throw new IsthmusError(
      'ISTHMUS_SOURCE_UNAVAILABLE',
      `${key}: no URL can carry this name, so it cannot be asked for`,
    );
  }
  return new BlobClient(`${container.url}/${encodeURIComponent(name)}`, container.credential, PIPELINE);
}
