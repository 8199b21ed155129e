import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import avro from 'avsc';
import { paddedVarint } from '../../../infra/local/storage/feed/encode.ts';

/** A chunk of records by any schema, made by the library alone. */
export function chunkOf(
  schema: avro.Schema,
  records: readonly unknown[],
  { codec = 'null' as 'null' | 'deflate', perBlock = 3 } = {},
): Buffer {
  const type = avro.Type.forSchema(schema, { registry: {} });
  const header = avro.Type.forSchema({
    type: 'record',
    name: 'Header',
    fields: [
      { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
      { name: 'meta', type: { type: 'map', values: 'bytes' } },
      { name: 'sync', type: { type: 'fixed', name: 'Sync', size: 16 } },
    ],
  });
  const sync = createHash('md5').update('isthmus').digest();
  const meta = { 'avro.codec': Buffer.from(codec), 'avro.schema': Buffer.from(JSON.stringify(schema)) };
  const parts = [header.toBuffer({ magic: Buffer.from('Obj\u0001', 'latin1'), meta, sync })];
  for (let at = 0; at < records.length; at += perBlock) {
    const block = records.slice(at, at + perBlock).map((record) => type.toBuffer(record));
    const plain = Buffer.concat(block);
    const data = codec === 'deflate' ? deflateRawSync(plain) : plain;
    parts.push(paddedVarint(block.length), paddedVarint(data.length), data, sync);
  }
  return Buffer.concat(parts);
}
