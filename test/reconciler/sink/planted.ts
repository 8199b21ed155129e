import { chmodSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setAttributeSync } from 'fs-xattr';
import { ENTRY_ATTRIBUTE } from '../../../activities/vast/file-view/mark.ts';
import { signal, stubOf } from '../../activities/vast/sink-contract.ts';
import type { SinkWorld } from './sink-world.ts';

const OLD_MARK = { v: 1, state: 'stub', etag: '0xOLD', length: 10, revision: 1, modified: 1, authority: 'blob' };

/** What can be done to the stub of a live name, and what a judge tells of it as `key cause state`. */
export const DAMAGES: Readonly<Record<string, (world: SinkWorld, key: string) => readonly string[]>> = {
  remove: ({ view }, key) => {
    rmSync(`${view.root}/${key}`);
    return [`${key} stub-missing repaired`];
  },
  truncate: ({ view }, key) => {
    truncateSync(`${view.root}/${key}`, 4);
    return [`${key} stub-wrong repaired`];
  },
  open: ({ view }, key) => {
    chmodSync(`${view.root}/${key}`, 0o644);
    return [`${key} stub-wrong repaired`];
  },
  mark: ({ view }, key) => {
    setAttributeSync(`${view.root}/${key}`, ENTRY_ATTRIBUTE, JSON.stringify(OLD_MARK));
    return [`${key} stub-wrong repaired`];
  },
  rename: ({ view }, key) => {
    renameSync(`${view.root}/${key}`, `${view.root}/${key}-moved`);
    return [`${key} stub-missing repaired`, `${key}-moved stub-stray repaired`];
  },
  replace: ({ view }, key) => {
    rmSync(`${view.root}/${key}`);
    writeFileSync(`${view.root}/${key}`, 'mine');
    return [`${key} foreign-file open`];
  },
};

/** A stub of a name that is dead, or that nobody ever heard of. */
export async function plantStray({ view }: SinkWorld, key: string): Promise<readonly string[]> {
  await view.sink.putStub(stubOf(key), signal);
  return [`${key} stub-stray repaired`];
}

export function plantForeign({ view }: SinkWorld, key: string): readonly string[] {
  const path = `${view.root}/${key}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'mine');
  return [`${key} foreign-file open`];
}
