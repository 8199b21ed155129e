import { hash } from 'node:crypto';
import type { Key } from '../../../../namespace/key.ts';

/** The most that two digits of a path can name. */
export const MOST_SHARDS = 100;

/** The shard of a blob: the same for all of its changes, as order is kept within a shard alone. */
export function shardOf({ container, name }: Key, shards: number): number {
  if (shards === 1) return 0;
  return hash('md5', `${container}/${name}`, 'buffer').readUInt32BE() % shards;
}

/** `00`, as paths name it. */
export function shardName(shard: number): string {
  return String(shard).padStart(2, '0');
}
