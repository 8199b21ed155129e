import { createHash } from 'node:crypto';

/**
 * Whether a `-manifest.checksum` file holds the MD5 of these manifest bytes. Azure documents the hash, not how
 * it is printed: hex of either case and base64 are both taken.
 */
export function checksumMatches(manifest: Uint8Array, checksum: string): boolean {
  const hash = createHash('md5').update(manifest).digest();
  const printed = checksum.trim();
  return printed.toLowerCase() === hash.toString('hex') || printed === hash.toString('base64');
}
