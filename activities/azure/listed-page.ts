import type { Attributes, BlobType } from '../../namespace/entry.ts';
import { unquote } from '../../schema/events/blob-effect.ts';
import type { BlobPage } from '../../schema/ports/blob-source.ts';
import { XmlReader } from './xml-reader.ts';

type Blob = BlobPage['blobs'][number];
type Draft = { -readonly [name in keyof Attributes]: Attributes[name] };

/** One answer to List Blobs. */
export interface ListedPage {
  readonly blobs: readonly Blob[];
  /** Where a delimiter was asked for: what names that are further below begin with. */
  readonly prefixes: readonly string[];
  /** What the next page begins after; empty where there is none. */
  readonly nextMarker: string;
}

/** Values that are said again and again (types, tiers, names of metadata) are held once. */
const MOST_SHARED = 1_000;

/**
 * Reads an answer to List Blobs, strictly: an `EnumerationResults` that is whole, or an error, as a page that was cut off
 * would else pass for the end of the names. What it holds that is not known here is passed over. Nothing that comes of it
 * keeps the text, of megabytes, in memory.
 *
 * @throws XmlError
 */
export function listedPage(text: string): ListedPage {
  const reader = new XmlReader(text);
  const parser = new PageParser(reader);
  let listed: Pick<ListedPage, 'blobs' | 'prefixes'> | undefined;
  let nextMarker: string | undefined;
  reader.root('EnumerationResults');
  for (
    let child = reader.child('EnumerationResults');
    child !== undefined;
    child = reader.child('EnumerationResults')
  ) {
    if (child === 'Blobs' && listed === undefined) listed = parser.blobs();
    else if (child === 'NextMarker' && nextMarker === undefined) nextMarker = own(reader.value(child));
    else reader.skip(child);
  }
  reader.finish();
  if (listed === undefined || nextMarker === undefined) throw reader.error('a page without Blobs or a NextMarker');
  return { ...listed, nextMarker };
}

class PageParser {
  readonly #reader: XmlReader;
  readonly #shared = new Map<string, string>();

  constructor(reader: XmlReader) {
    this.#reader = reader;
  }

  blobs(): Pick<ListedPage, 'blobs' | 'prefixes'> {
    const reader = this.#reader;
    const blobs: Blob[] = [];
    const prefixes: string[] = [];
    for (let child = reader.child('Blobs'); child !== undefined; child = reader.child('Blobs')) {
      if (child === 'Blob') blobs.push(this.#blob());
      else if (child === 'BlobPrefix') prefixes.push(this.#prefix());
      else reader.skip(child);
    }
    return { blobs, prefixes };
  }

  #blob(): Blob {
    const reader = this.#reader;
    let name: string | undefined;
    let properties: Draft | undefined;
    let metadata: Readonly<Record<string, string>> | undefined;
    for (let child = reader.child('Blob'); child !== undefined; child = reader.child('Blob')) {
      if (child === 'Name' && name === undefined) name = this.#name();
      else if (child === 'Properties' && properties === undefined) properties = this.#properties();
      else if (child === 'Metadata' && metadata === undefined) metadata = this.#metadata();
      else reader.skip(child);
    }
    if (name === undefined || properties === undefined) throw reader.error('a blob without its name or properties');
    properties.metadata = metadata ?? {};
    return { name, attributes: properties };
  }

  /** It may have properties, too, where the account has directories. */
  #prefix(): string {
    const reader = this.#reader;
    let name: string | undefined;
    for (let child = reader.child('BlobPrefix'); child !== undefined; child = reader.child('BlobPrefix')) {
      if (child === 'Name' && name === undefined) name = this.#name();
      else reader.skip(child);
    }
    if (name === undefined) throw reader.error('a prefix without its name');
    return name;
  }

  /** With `Encoded="true"` it holds what XML cannot, as the percent-encoding of its UTF-8. */
  #name(): string {
    const reader = this.#reader;
    const encoded = /\sEncoded="true"/.test(reader.attributes);
    const written = reader.value('Name');
    const name = encoded ? decoded(written) : own(written);
    if (name === undefined || name === '') throw reader.error('the name of a blob cannot be read');
    return name;
  }

  /** What is empty is not told: Blob Storage writes an empty element for a value that a blob has none of. */
  #properties(): Draft {
    const reader = this.#reader;
    const draft: Draft = { etag: '', length: 0 };
    let text: string;
    for (let child = reader.child('Properties'); child !== undefined; child = reader.child('Properties')) {
      switch (child) {
        case 'Last-Modified':
          draft.lastModified = this.#number(child, Date.parse(reader.value(child)));
          break;
        case 'Etag':
          draft.etag = own(unquote(reader.value(child)));
          break;
        case 'Content-Length':
          draft.length = this.#number(child, Number(reader.value(child) || Number.NaN));
          break;
        case 'Content-MD5':
          text = reader.value(child);
          if (text !== '') draft.md5 = own(text);
          break;
        case 'Content-Type':
          text = reader.value(child);
          if (text !== '') draft.contentType = this.#share(text);
          break;
        case 'BlobType':
          text = reader.value(child);
          if (text !== '') draft.blobType = this.#share(text) as BlobType;
          break;
        case 'AccessTier':
          text = reader.value(child);
          if (text !== '') draft.tier = this.#share(text);
          break;
        default:
          reader.skip(child);
      }
    }
    if (draft.etag === '' || draft.lastModified === undefined) throw reader.error('a blob without its version');
    return draft;
  }

  /** Names of metadata ignore case; a listing brings them as they were written, headers in lower case. */
  #metadata(): Readonly<Record<string, string>> {
    const reader = this.#reader;
    const entries: (readonly [string, string])[] = [];
    for (let child = reader.child('Metadata'); child !== undefined; child = reader.child('Metadata')) {
      entries.push([this.#share(child.toLowerCase()), own(reader.value(child))]);
    }
    return Object.fromEntries(entries);
  }

  #number(name: string, value: number): number {
    if (!Number.isSafeInteger(value) || value < 0) throw this.#reader.error(`the ${name} of a blob cannot be read`);
    return value;
  }

  #share(text: string): string {
    const found = this.#shared.get(text);
    if (found !== undefined) return found;
    const kept = own(text);
    if (this.#shared.size < MOST_SHARED) this.#shared.set(kept, kept);
    return kept;
  }
}

/** A part of a long string keeps the whole of it in memory. This one does not. */
function own(part: string): string {
  return Buffer.from(part, 'utf8').toString('utf8');
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}
