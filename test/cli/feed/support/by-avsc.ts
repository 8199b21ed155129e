import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';

/** A record with where it stands, as `feed dump` prints it. */
export interface Dumped {
  readonly chunk: string;
  readonly offset: number;
  readonly index: number;
  readonly id: string;
  readonly subject: string;
  readonly eventTime: string;
}

/** Every record of every chunk file below a folder, in path order, decoded by avsc's own container reader: nothing of ours. */
export async function decodeFiles(container: string): Promise<readonly unknown[]> {
  const records: unknown[] = [];
  for (const path of globSync(join(container, 'log/**/*.avro')).sort()) {
    const decoder = avro.createFileDecoder(path, {
      parseHook: (schema) => avro.Type.forSchema(schema, { wrapUnions: false }),
    });
    for await (const record of decoder) records.push(JSON.parse(JSON.stringify(record)));
  }
  return records;
}

/** Where the blocks of a chunk begin, with their ends: found by the file's marker alone, which is its last 16 bytes. */
export function blocksOf(file: string): readonly { readonly offset: number; readonly end: number }[] {
  const bytes = readFileSync(file);
  const marker = bytes.subarray(-16);
  const ends: number[] = [];
  for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker, at + 1)) ends.push(at + 16);
  return ends.slice(0, -1).map((offset, at) => ({ offset, end: ends[at + 1] ?? bytes.length }));
}
