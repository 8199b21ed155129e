import type { Key } from '../../namespace/key.ts';

/**
 * The key that a blob's address names. Path-style addresses (`http://HOST:PORT/ACCOUNT/CONTAINER/NAME`) carry the
 * account in front. In an address the name is percent-encoded, unlike in a subject.
 *
 * @returns undefined where the text is no such address.
 */
export function keyOfBlobUrl(url: string, account: string): Key | undefined {
  const address = /^https?:\/\/([^/?#]+)\/([^?#]*)/.exec(url);
  const host = address?.[1];
  const path = address?.[2];
  if (host === undefined || path === undefined) return undefined;
  const inside =
    !host.startsWith(`${account}.`) && path.startsWith(`${account}/`) ? path.slice(account.length + 1) : path;
  const slash = inside.indexOf('/');
  if (slash <= 0 || slash === inside.length - 1) return undefined;
  try {
    return { container: inside.slice(0, slash), name: decodeURIComponent(inside.slice(slash + 1)) };
  } catch {
    return undefined;
  }
}
