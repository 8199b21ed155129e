/**
 * The identity of a blob inside one account. The account is implied by the page or the command that carries
 * the key. Names are what Azure prints in a `subject`: raw, never percent-encoded.
 */
export interface Key {
  readonly container: string;
  readonly name: string;
}

/** Containers that Azure writes for itself; they are never federated. `$root` and `$web` are containers like others. */
const SYSTEM_CONTAINERS: ReadonlySet<string> = new Set(['$logs', '$blobchangefeed', '$blobchangefeedsys']);

/** Whether blobs of this container are Azure's own bookkeeping, and so noise to every source. */
export function isSystemContainer(container: string): boolean {
  // People's own containers begin with no $, and looking a new string up costs its hash.
  return container.startsWith('$') && SYSTEM_CONTAINERS.has(container);
}

/**
 * Orders two strings as their UTF-8 bytes do, which is the order of Postgres' `COLLATE "C"`.
 *
 * JavaScript's `<` compares UTF-16 units and differs from it where one string holds a surrogate pair and the
 * other a unit from U+E000 up: there alone the units are moved so that surrogates sort last.
 */
export function compareUtf8(a: string, b: string): -1 | 0 | 1 {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codePointOrder(left) < codePointOrder(right) ? -1 : 1;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

/** Moves the surrogates above U+FFFF's last unit, so that units order as the code points they belong to. */
function codePointOrder(unit: number): number {
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Key order, everywhere (pages, listings, the digest): by container, then by name, each as UTF-8 bytes. */
export function compareKeys(a: Key, b: Key): -1 | 0 | 1 {
  return compareUtf8(a.container, b.container) || compareUtf8(a.name, b.name);
}

/** How a key is written for people and in a digest: `container/name`. A container's name holds no slash. */
export function formatKey(key: Key): string {
  return `${key.container}/${key.name}`;
}

/** Reads `container/name` at its first slash; a text without one names a container and the empty name. */
export function parseKey(text: string): Key {
  const slash = text.indexOf('/');
  return slash < 0 ? { container: text, name: '' } : { container: text.slice(0, slash), name: text.slice(slash + 1) };
}
