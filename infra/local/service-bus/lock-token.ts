import { randomFillSync } from 'node:crypto';

const BYTES = 16;
const POOL = BYTES * 256;
let pool = Buffer.alloc(0);
let used = 0;

/** 16 random bytes: the delivery tag of a locked message. Drawn in bulk, one system call for 256 locks. */
export function newLockToken(): Buffer {
  if (used + BYTES > pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(POOL));
    used = 0;
  }
  used += BYTES;
  return pool.subarray(used - BYTES, used);
}

/**
 * Service Bus reads a delivery tag as a .NET GUID, whose first three fields are little-endian, while `$management`
 * carries the same token in text order. Turns either into the other.
 */
export function reorderLockToken(token: Buffer): Buffer {
  const other = Buffer.from(token);
  other.subarray(0, 4).reverse();
  other.subarray(4, 6).reverse();
  other.subarray(6, 8).reverse();
  return other;
}
