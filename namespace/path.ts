import { formatKey, type Key, parseKey } from './key.ts';

/** What a file system of POSIX takes as one component, in bytes of UTF-8. */
const COMPONENT_BYTES = 255;
/** PATH_MAX less its NUL and less 255 bytes for the sink's root. */
const PATH_BYTES = 4095 - 255;

export type MappedPath = { readonly path: string } | { readonly unrepresentable: string };

/**
 * Where a key's file lies, relative to the sink's root: `CONTAINER/NAME` as it is, or why it cannot be.
 *
 * Injective, and `keyOf` is its inverse. No path leaves the root, none has an empty, `.` or `..` component, and
 * none starts with a dot, so that a sink may keep what is its own there.
 */
export function pathOf(key: Key): MappedPath {
  const { container, name } = key;
  if (container.includes('/') || container.startsWith('.')) return { unrepresentable: 'the container is no folder' };
  const path = formatKey(key);
  const reason = unrepresentable(path);
  if (reason !== undefined) return { unrepresentable: reason };
  return name === '' ? { unrepresentable: 'the name is empty' } : { path };
}

/** The key whose file lies here; undefined where no key's does. */
export function keyOf(path: string): Key | undefined {
  const key = parseKey(path);
  const mapped = pathOf(key);
  return 'path' in mapped && mapped.path === path ? key : undefined;
}

/**
 * The keys that the directories above this key's file would shadow, the shortest first: `a` and `a/b` for
 * `a/b/c`. None where the key has no file.
 */
export function ancestorsOf(key: Key): readonly Key[] {
  if ('unrepresentable' in pathOf(key)) return [];
  const ancestors: Key[] = [];
  for (let slash = key.name.indexOf('/'); slash >= 0; slash = key.name.indexOf('/', slash + 1)) {
    ancestors.push({ container: key.container, name: key.name.slice(0, slash) });
  }
  return ancestors;
}

function unrepresentable(path: string): string | undefined {
  if (path.includes('\0')) return 'it holds a NUL';
  if (!path.isWellFormed()) return 'it holds half of a surrogate pair';
  let bytes = 0;
  for (const component of path.split('/')) {
    if (component === '') return 'a component is empty';
    if (component === '.' || component === '..') return `a component is '${component}'`;
    const size = utf8Length(component);
    if (size > COMPONENT_BYTES) return `a component has ${size} bytes, more than ${COMPONENT_BYTES}`;
    bytes += size + 1;
  }
  return bytes - 1 > PATH_BYTES ? `the path has ${bytes - 1} bytes, more than ${PATH_BYTES}` : undefined;
}

/** Bytes of a well-formed string in UTF-8. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x800) bytes += unit >= 0xd800 && unit < 0xe000 ? 1 : 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}
