import type { Key } from '../../namespace/key.ts';

/**
 * Whether Postgres can hold this name and give it back as it was. U+0000 it refuses; half a surrogate pair is no
 * text, and its encoding would merge two names into one.
 */
export function isStorable(name: string): boolean {
  return !name.includes('\0') && name.isWellFormed();
}

/** Whether the index can hold this key; where not, it is journalled and never changes anything. */
export function isStorableKey(key: Key): boolean {
  return isStorable(key.name) && isStorable(key.container);
}

/** Text that is no identity (an event's id, a content type): what Postgres cannot hold is replaced by U+FFFD. */
export function storableText(text: string): string {
  return isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** A value as JSON text that `jsonb` takes. @param longest characters of a text in it; a longer one is cut, and shows it. */
export function storableJson(value: unknown, longest = Number.POSITIVE_INFINITY): string {
  const cut = (text: string) => (text.length > longest ? `${text.slice(0, longest)}…` : text);
  const storable = (_: string, item: unknown) => (typeof item === 'string' ? storableText(cut(item)) : item);
  return JSON.stringify(value, storable) ?? 'null';
}
