import type { Key } from '../../namespace/key.ts';

const CONTAINERS = '/blobServices/default/containers/';
const BLOBS = '/blobs/';

/**
 * The key in an event's subject, `/blobServices/default/containers/CONTAINER/blobs/NAME`. The name is raw: it may
 * hold `%`, `?`, spaces, and `/blobs/` itself, so only the first one divides.
 *
 * @returns undefined where the subject names no blob (a container, a policy run).
 */
export function parseBlobSubject(subject: string): Key | undefined {
  if (!subject.startsWith(CONTAINERS)) return undefined;
  const at = subject.indexOf(BLOBS, CONTAINERS.length);
  if (at < 0) return undefined;
  const container = subject.slice(CONTAINERS.length, at);
  const name = subject.slice(at + BLOBS.length);
  return container === '' || container.includes('/') || name === '' ? undefined : { container, name };
}

/** The subject of a key, as Azure writes it. */
export function blobSubject(key: Key): string {
  return `${CONTAINERS}${key.container}${BLOBS}${key.name}`;
}

/** Azure's own limit. */
const LONGEST_CONTAINER = 63;

/**
 * Why the index cannot hold this name: Postgres keeps no U+0000, half a surrogate pair has no UTF-8, so that two such
 * names would become one, and a container's name, unlike a blob's, is part of an index as it is.
 */
export function unstorable(key: Key): string | undefined {
  if (key.container.length > LONGEST_CONTAINER) {
    return `the container's name has ${key.container.length} characters, and no container's has more than ${LONGEST_CONTAINER}`;
  }
  if (key.name.includes('\u0000')) return 'the name holds U+0000';
  return key.name.isWellFormed() ? undefined : 'the name holds half a surrogate pair';
}
