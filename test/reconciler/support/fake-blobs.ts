import type { Attributes, Timestamp } from '../../../namespace/entry.ts';
import { compareUtf8, formatKey, isSystemContainer, type Key } from '../../../namespace/key.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import type {
  BlobPage,
  BlobSource,
  ContainerPage,
  DirectoryPage,
  LookResult,
  RangeRequest,
} from '../../../schema/ports/blob-source.ts';

/** A storage account in memory, with a clock that the test sets. */
export class FakeBlobs implements BlobSource {
  readonly containers = new Map<string, Map<string, { attributes: Attributes; bytes: Uint8Array }>>();
  /** Its name. */
  readonly account: string;
  readonly looks: string[] = [];
  readonly listed: string[] = [];
  pageSize = 1_000;
  /** Called before each page of List Blobs and each range: throws to fail it. */
  onRequest: (what: string) => void = () => {};
  /** Called before each HEAD, with its `container/name`: throws to fail it. */
  onLook: (what: string) => void = () => {};
  /** What its clock is ahead of the time, in milliseconds. */
  ahead = 0;
  /** The share of its blobs that a listing gives before it ends, without an error. */
  lists = 1;
  #time: Timestamp;
  #etag = 0;

  constructor(time: Timestamp, account = 'account') {
    this.#time = time;
    this.account = account;
  }

  get time(): Timestamp {
    return this.#time;
  }

  later(ms: number): void {
    this.#time += ms;
  }

  /** The time by the account's own clock. */
  get told(): Timestamp {
    return this.#time + this.ahead;
  }

  put(
    container: string,
    name: string,
    content: string | Uint8Array = name,
    more: Partial<Attributes> = {},
  ): Attributes {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const attributes: Attributes = {
      ...{ length: bytes.length, blobType: 'BlockBlob', tier: 'Hot', ...more },
      ...this.#version(),
    };
    this.create(container).set(name, { attributes, bytes });
    return attributes;
  }

  /** A new version with these attributes changed: what an append or Set Blob Metadata makes. */
  change(container: string, name: string, change: Partial<Attributes>): Attributes {
    return this.#set(container, name, { ...change, ...this.#version() });
  }

  /** Moves the blob to another tier, which keeps its version. */
  retier(container: string, name: string, tier: string): Attributes {
    return this.#set(container, name, { tier });
  }

  #set(container: string, name: string, change: Partial<Attributes>): Attributes {
    const blob = this.containers.get(container)?.get(name);
    if (blob === undefined) throw new Error(`there is no ${container}/${name}`);
    const attributes = { ...blob.attributes, ...change };
    this.create(container).set(name, { ...blob, attributes });
    return attributes;
  }

  #version(): Pick<Attributes, 'etag' | 'lastModified'> {
    this.#etag++;
    const etag = `0x${(0x8d00000000000 + this.#etag).toString(16).toUpperCase()}`;
    return { etag, lastModified: Math.floor(this.told / 1000) * 1000 };
  }

  create(container: string) {
    const blobs = this.containers.get(container) ?? new Map<string, { attributes: Attributes; bytes: Uint8Array }>();
    this.containers.set(container, blobs);
    return blobs;
  }

  delete(container: string, name: string): void {
    this.containers.get(container)?.delete(name);
  }

  async look(key: Key, _signal?: AbortSignal): Promise<LookResult> {
    this.looks.push(formatKey(key));
    this.onLook(formatKey(key));
    const time = this.told;
    const blobs = this.containers.get(key.container);
    if (blobs === undefined) return { kind: 'container-gone', time };
    const blob = blobs.get(key.name);
    if (blob === undefined) return { kind: 'absent', time };
    return { kind: 'found', attributes: blob.attributes, time };
  }

  async *listContainers(): AsyncGenerator<ContainerPage> {
    const names = [...this.containers.keys()].filter((name) => !isSystemContainer(name)).toSorted(compareUtf8);
    for (let at = 0; at === 0 || at < names.length; at += 2) {
      yield { containers: names.slice(at, at + 2), time: this.told };
    }
  }

  async *listBlobs(container: string, prefix: string): AsyncGenerator<BlobPage> {
    this.listed.push(`${container}/${prefix}`);
    const below = () =>
      [...(this.containers.get(container) ?? [])]
        .filter(([name]) => name.startsWith(prefix))
        .toSorted(([a], [b]) => compareUtf8(a, b))
        .map(([name, { attributes }]) => ({ name, attributes }));
    const most = Math.ceil(below().length * this.lists);
    let last: string | undefined;
    for (let at = 0; ; at += this.pageSize) {
      this.onRequest(`list ${container}/${prefix} ${at}`);
      // Each page is what there is when it is asked for, after the last name of the page before.
      const rest = below().filter(({ name }) => last === undefined || compareUtf8(name, last) > 0);
      const size = Math.min(this.pageSize, this.lists < 1 ? most - at : this.pageSize);
      const blobs = rest.slice(0, Math.max(0, size));
      last = blobs.at(-1)?.name;
      yield { blobs, time: this.told };
      if (last === undefined || rest.length <= blobs.length || (this.lists < 1 && at + blobs.length >= most)) return;
    }
  }

  async *listDirectory(container: string, prefix: string): AsyncGenerator<DirectoryPage> {
    this.listed.push(`${container}/${prefix}*`);
    const parts = new Map<string, Attributes | undefined>();
    for (const [name, { attributes }] of this.containers.get(container) ?? []) {
      if (!name.startsWith(prefix)) continue;
      const slash = name.indexOf('/', prefix.length);
      if (slash < 0) parts.set(name, attributes);
      else parts.set(name.slice(0, slash + 1), undefined);
    }
    const sorted = [...parts].toSorted(([a], [b]) => compareUtf8(a, b));
    for (let at = 0; at === 0 || at < sorted.length; at += this.pageSize) {
      this.onRequest(`list ${container}/${prefix}* ${at}`);
      const page = sorted.slice(at, at + this.pageSize);
      const blobs = page.flatMap(([name, attributes]) => (attributes === undefined ? [] : [{ name, attributes }]));
      const prefixes = page.flatMap(([name, attributes]) => (attributes === undefined ? [name] : []));
      yield { blobs, prefixes, time: this.told };
    }
  }

  async readRange(key: Key, { etag, offset, length }: RangeRequest): Promise<AsyncIterable<Uint8Array>> {
    this.onRequest(`read ${formatKey(key)} ${offset}`);
    const blob = this.containers.get(key.container)?.get(key.name);
    if (blob?.attributes.etag !== etag) {
      throw new IsthmusError('ISTHMUS_SOURCE_CHANGED', `${formatKey(key)} changed`);
    }
    const bytes = blob.bytes.subarray(offset, offset + length);
    return (async function* () {
      const half = Math.ceil(bytes.length / 2);
      yield bytes.subarray(0, half);
      yield bytes.subarray(half);
    })();
  }

  async readText(key: Key): Promise<string | undefined> {
    const blob = this.containers.get(key.container)?.get(key.name);
    return blob === undefined ? undefined : new TextDecoder().decode(blob.bytes);
  }
}
