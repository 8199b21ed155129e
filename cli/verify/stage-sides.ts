import type { ClientBase } from 'pg';
import type { RuleIndex } from '../../namespace/authority.ts';
import type { Key } from '../../namespace/key.ts';
import type { Rule } from '../../namespace/rule.ts';
import { listContainer } from '../../reconciler/listing/list-container.ts';
import { listingPrefixes, namePrefixes } from '../../reconciler/listing/listing-prefixes.ts';
import type { KeySet } from '../../reconciler/scope/key-set.ts';
import { judgedFiles } from '../../reconciler/sink/judged-files.ts';
import { type CopyValue, copyRows } from '../../reconciler/staging/copy-rows.ts';
import { storedName } from '../../schema/index/names.ts';
import { isStorableKey } from '../../schema/index/storable.ts';
import type { BlobSource } from '../../schema/ports/blob-source.ts';
import type { Sink } from '../../schema/ports/sink.ts';

/** What is to be compared, and under which rules. */
export interface Staged {
  readonly rules: readonly Rule[];
  readonly match: RuleIndex;
  readonly prefix: string;
  readonly keys: KeySet;
  /** Called now and then with how many names were read. */
  readonly onNames: (names: number) => void;
}

/**
 * Makes the tables of one comparison: of this connection alone, so that they go with it whatever happens.
 * `stray` is a file of ours in a sink that its rule does not name.
 */
export async function makeSides(client: ClientBase): Promise<void> {
  await client.query(`
    create temporary table source_side (
      container text collate "C" not null, head text collate "C" not null, tail text collate "C" not null,
      etag text, length bigint not null
    );
    create temporary table sink_side (
      container text collate "C" not null, head text collate "C" not null, tail text collate "C" not null,
      etag text, length bigint not null, state text not null, stray boolean not null
    )`);
}

/** Once both sides are staged: makes joins cheap, and tells the planner how many they are. */
export async function sealSides(client: ClientBase): Promise<void> {
  await client.query(`
    create index on source_side (container, head);
    create index on sink_side (container, head);
    analyze source_side;
    analyze sink_side`);
}

/** Lists every federated container. @returns how many names there are. */
export function stageSource(
  client: ClientBase,
  blobs: BlobSource,
  staged: Staged,
  signal: AbortSignal,
): Promise<number> {
  return copyRows(client, 'source_side', rowsOfSource(blobs, staged, signal));
}

async function* rowsOfSource(
  blobs: BlobSource,
  { rules, prefix, keys, onNames }: Staged,
  signal: AbortSignal,
): AsyncGenerator<readonly CopyValue[]> {
  const prefixes = listingPrefixes(rules, prefix);
  for await (const page of blobs.listContainers(signal)) {
    for (const container of page.containers) {
      if (namePrefixes(prefixes, container).length === 0) continue;
      for await (const { blobs: found } of listContainer(blobs, container, { prefixes, keys }, signal)) {
        for (const { name, attributes } of found) {
          if (isStorableKey({ container, name }))
            yield [...columns({ container, name }), attributes.etag, attributes.length];
        }
        onNames(found.length);
      }
    }
  }
}

/**
 * Walks every sink.
 *
 * @returns how many files Isthmus made there.
 */
export async function stageSinks(
  client: ClientBase,
  sinks: ReadonlyMap<string, Sink>,
  staged: Staged,
  signal: AbortSignal,
): Promise<number> {
  const made = { count: 0 };
  for (const [name, sink] of sinks) await copyRows(client, 'sink_side', rowsOfSink(name, sink, staged, made, signal));
  return made.count;
}

async function* rowsOfSink(
  sinkName: string,
  sink: Sink,
  { match, prefix, onNames }: Staged,
  made: { count: number },
  signal: AbortSignal,
): AsyncGenerator<readonly CopyValue[]> {
  for await (const { file, stray } of judgedFiles({ name: sinkName, sink }, match, prefix, signal)) {
    const { key, etag, length, state } = file;
    if (state !== 'foreign') made.count++;
    onNames(1);
    yield [...columns(key), etag, length, state, stray ? 't' : 'f'];
  }
}

function columns(key: Key): readonly CopyValue[] {
  const { head, tail } = storedName(key.name);
  return [key.container, head, tail];
}
