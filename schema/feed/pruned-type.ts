import avro from 'avsc';

const RECORD_FIELDS: ReadonlySet<string> = new Set(['subject', 'eventType', 'eventTime', 'id']);
const DATA_FIELDS: ReadonlySet<string> = new Set([
  'api',
  'etag',
  'contentType',
  'contentLength',
  'blobType',
  'blobVersion',
  'containerVersion',
  'blobTier',
  'sequencer',
  'snapshot',
]);

/** A type that reads only what is used of the records that another type has written. */
export interface PrunedType {
  readonly type: avro.Type;
  readonly resolver: ReturnType<avro.Type['createResolver']>;
}

/**
 * A reader's type of the fields that make a change, each with the writer's own type, so that whatever the schema says
 * of it is read as it says.
 *
 * Measured on recorded chunks: 3.0 µs a record whole, 1.2 µs so. Most of a record is strings that nobody reads, and
 * making a string costs more than passing over one.
 *
 * @returns undefined where the schema is of another shape: its records are then decoded whole.
 */
export function prune(whole: avro.Type): PrunedType | undefined {
  if (!isRecord(whole)) return undefined;
  const data = whole.fields.find(({ name }) => name === 'data')?.type;
  const fields: Field[] = pick(whole, RECORD_FIELDS);
  try {
    if (data !== undefined && isRecord(data)) fields.push({ name: 'data', type: only(data, pick(data, DATA_FIELDS)) });
    else if (data !== undefined) return undefined;
    const type = avro.Type.forSchema(only(whole, fields), { registry: {} });
    return { type, resolver: type.createResolver(whole) };
  } catch {
    return undefined;
  }
}

interface Field {
  readonly name: string;
  readonly type: avro.Schema;
}

function isRecord(type: avro.Type): type is avro.types.RecordType {
  return avro.Type.isType(type, 'record');
}

function pick(record: avro.types.RecordType, names: ReadonlySet<string>): Field[] {
  return record.fields.flatMap(({ name, type }) => (names.has(name) ? [{ name, type }] : []));
}

/** Under another name, as the library takes the same name for the same type. */
function only(record: avro.types.RecordType, fields: readonly Field[]): avro.Schema {
  return {
    type: 'record',
    name: `Used${record.name}`.replaceAll('.', '_'),
    aliases: [record.name ?? ''],
    fields: [...fields],
  };
}
