import avro from 'avsc';

/** Where a record stands: its chunk, the offset of its block in bytes, and its number in the block. */
export interface Position {
  readonly chunk: string;
  readonly offset: number;
  readonly index: number;
}

type ToPlain = (value: unknown) => unknown;

/** By type; undefined where what is decoded is plain as it is, which holds for every schema seen so far. */
const known = new WeakMap<avro.Type, ToPlain | undefined>();

/** One record as one line of JSON: every field as the chunk's schema names it, and the record's position. */
export function recordJson(record: unknown, position: Position): string {
  const type = typeOf(record);
  const plain = type === undefined ? undefined : toPlain(type);
  return JSON.stringify({ ...Object(plain === undefined ? record : plain(record)), ...position });
}

/** A decoded record is an instance of a class that is made for its type, and knows it. */
function typeOf(record: unknown): avro.Type | undefined {
  const type: unknown = Object(record).constructor?.type;
  return type instanceof avro.Type ? type : undefined;
}

function toPlain(type: avro.Type): ToPlain | undefined {
  if (!known.has(type)) known.set(type, converter(type, new Map()));
  return known.get(type);
}

/**
 * What makes plain JSON of a decoded value: bytes become base64, and a union's value stands for itself, without the
 * name of its branch.
 */
function converter(type: avro.Type, open: Map<avro.Type, ToPlain>): ToPlain | undefined {
  const { types } = avro;
  if (type instanceof types.BytesType || type instanceof types.FixedType) {
    return (value) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value);
  }
  if (type instanceof types.ArrayType) {
    const each = converter(type.itemsType, open);
    return each && ((value) => (Array.isArray(value) ? value.map(each) : value));
  }
  if (type instanceof types.MapType) return mapConverter(converter(type.valuesType, open));
  if (type instanceof types.WrappedUnionType) return wrappedUnion(type.types, open);
  if (type instanceof types.UnwrappedUnionType) return unwrappedUnion(type.types, open);
  return type instanceof types.RecordType ? recordConverter(type, open) : undefined;
}

function mapConverter(each: ToPlain | undefined): ToPlain | undefined {
  return (
    each && ((value) => Object.fromEntries(Object.entries(Object(value)).map(([key, member]) => [key, each(member)])))
  );
}

/** Decoded as `{ branch: value }`. */
function wrappedUnion(branches: readonly avro.Type[], open: Map<avro.Type, ToPlain>): ToPlain {
  const byName = new Map(branches.map((branch) => [branch.branchName, converter(branch, open)]));
  return (value) => {
    const [entry] = Object.entries(Object(value));
    if (entry === undefined) return null;
    const each = byName.get(entry[0]);
    return each === undefined ? entry[1] : each(entry[1]);
  };
}

/** At most one branch is decoded to a value that is to be changed, as the branches can be told apart by it. */
function unwrappedUnion(branches: readonly avro.Type[], open: Map<avro.Type, ToPlain>): ToPlain | undefined {
  const converted = branches.flatMap((branch) => {
    const each = converter(branch, open);
    return each === undefined ? [] : [{ branch, each }];
  });
  if (converted.length === 0) return undefined;
  return (value) => {
    const found = converted.find(({ branch }) => branch.isValid(value));
    return found === undefined ? value : found.each(value);
  };
}

/** A schema may hold itself, so a record's converter is known before those of its fields are. */
function recordConverter(type: avro.types.RecordType, open: Map<avro.Type, ToPlain>): ToPlain | undefined {
  const again = open.get(type);
  if (again !== undefined) return again;
  const fields: [string, ToPlain][] = [];
  const convert: ToPlain = (value) => {
    const plain: Record<string, unknown> = { ...Object(value) };
    for (const [name, each] of fields) plain[name] = each(plain[name]);
    return plain;
  };
  open.set(type, convert);
  for (const field of type.fields) {
    const each = converter(field.type, open);
    if (each !== undefined) fields.push([field.name, each]);
  }
  return fields.length === 0 ? undefined : convert;
}
