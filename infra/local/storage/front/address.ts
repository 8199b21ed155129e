import { ACCOUNT } from '../account.ts';

/** What a request is about. `name` is undefined for a container, `container` for the account. */
export interface Address {
  readonly container: string | undefined;
  readonly name: string | undefined;
  /** As the client sent it, without the query: the same text names the same blob in a request of our own. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * Reads a request's target as Azurite does (its `extractStoragePartsFromPath`): the path is decoded as a whole,
 * then split, and `\` in a name means `/`.
 *
 * @returns undefined where the target is of another account or cannot be decoded; it is passed on and is no change.
 */
export function addressOf(url: string, host: string | undefined): Address | undefined {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const parts = (decoded.startsWith('/') ? decoded.slice(1) : decoded).split('/');
  const account = accountInHost(host) ?? parts.shift();
  if (account !== ACCOUNT) return undefined;
  const container = parts.shift() || undefined;
  const name = parts.join('/').replaceAll('\\', '/') || undefined;
  return { container, name, path, query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)) };
}

/** `account.blob.localhost:10000`: the account stands in the host name and not in the path. */
function accountInHost(host: string | undefined): string | undefined {
  const hostname = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (hostname === 'host.docker.internal' || hostname === 'localhost' || /^[\d.]+$|^\[/.test(hostname))
    return undefined;
  const dot = hostname.indexOf('.');
  return dot > 0 ? hostname.slice(0, dot) : undefined;
}
