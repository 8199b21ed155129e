import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Lanes, listParts, type PartKeeper } from '../../../reconciler/listing/list-parts.ts';
import type { ListingPart } from '../../../reconciler/listing/listing-parts.ts';
import { FakeBlobs } from '../support/fake-blobs.ts';

const NEVER = new AbortController().signal;

/** Keeps pages and parts in memory, as the run's ledger does in the index. */
class MemoryKeeper implements PartKeeper {
  readonly names = new Map<number, string[]>();
  readonly forgotten: string[] = [];
  #parts: ListingPart[] = [];
  #last = 0;

  constructor(container: string, prefixes: readonly string[]) {
    this.#add(container, prefixes);
  }

  get listed(): readonly string[] {
    return [...this.names.values()].flat().toSorted();
  }

  get left(): number {
    return this.#parts.length;
  }

  async waiting(taken: readonly number[], limit: number) {
    const waiting = this.#parts.filter(({ part }) => !taken.includes(part)).toReversed();
    return waiting.slice(0, limit);
  }

  async page({ part }: ListingPart, { blobs }: { readonly blobs: readonly { readonly name: string }[] }) {
    await Promise.resolve();
    this.names.set(part, [...(this.names.get(part) ?? []), ...blobs.map(({ name }) => name)]);
  }

  async done({ part, container }: ListingPart, below: readonly string[]) {
    this.#parts = this.#parts.filter((each) => each.part !== part);
    this.#add(container, below);
  }

  async forget({ part, prefix }: ListingPart, how: ListingPart['how']) {
    this.forgotten.push(`${prefix} ${how}`);
    this.names.delete(part);
    this.#parts = this.#parts.map((each) => (each.part === part ? { ...each, how } : each));
  }

  async failed() {
    return false;
  }

  #add(container: string, prefixes: readonly string[]) {
    for (const prefix of prefixes.toReversed()) {
      this.#parts.push({ part: ++this.#last, containerId: 1, container, prefix, how: 'any', begun: false });
    }
  }
}

async function listed(names: Iterable<string>, lanes: Lanes, pageSize: number) {
  const blobs = new FakeBlobs(0);
  blobs.create('lake');
  blobs.pageSize = pageSize;
  for (const name of names) blobs.put('lake', name);
  const keeper = new MemoryKeeper('lake', ['']);
  let most = 0;
  let now = 0;
  const list = blobs.listBlobs.bind(blobs);
  blobs.listBlobs = async function* (...of: Parameters<typeof list>) {
    most = Math.max(most, ++now);
    try {
      for await (const page of list(...of)) {
        await new Promise((soon) => setImmediate(soon));
        yield page;
      }
    } finally {
      now--;
    }
  };
  await listParts(blobs, keeper, lanes, NEVER);
  return { keeper, blobs, most };
}

describe('a listing that is split by prefix', () => {
  const part = fc.constantFrom('', 'a', 'b', 'é', '.', '..', '\u{1f600}', 'c d');
  const name = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 5 }), fc.boolean())
    .map(([parts, slash]) => parts.join('/') + (slash ? '/' : ''))
    .filter((text) => text !== '');
  const lanes = fc.record({
    atOnce: fc.integer({ min: 1, max: 9 }),
    mostBelow: fc.integer({ min: 0, max: 6 }),
    longPages: fc.integer({ min: 1, max: 4 }),
  });

  it('names every blob once, whatever the names and however it is split', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { maxLength: 60 }),
        lanes,
        fc.integer({ min: 1, max: 7 }),
        async (names, of, pageSize) => {
          const { keeper, most } = await listed(names, of, pageSize);
          expect(keeper.listed).toEqual(names.toSorted());
          expect(keeper.left).toBe(0);
          expect(most).toBeLessThanOrEqual(of.atOnce);
        },
      ),
      { numRuns: 300 },
    );
  });

  const many = (directory: string, count: number) =>
    Array.from({ length: count }, (_, at) => `${directory}${String(at).padStart(4, '0')}`);

  it('takes several lanes to one container, and one request to a small one', async () => {
    const names = ['a/', 'b/', 'c/', 'd/'].flatMap((directory) => many(directory, 30));
    const { most } = await listed(names, { atOnce: 4, mostBelow: 100, longPages: 50 }, 5);
    expect(most).toBe(4);
    const { blobs } = await listed(many('', 30), { atOnce: 4, mostBelow: 100, longPages: 50 }, 100);
    expect(blobs.listed).toEqual(['lake/']);
  });

  it('begins a long part anew, split, where lanes stand idle', async () => {
    const long = ['long/x/', 'long/y/', 'long/z/'].flatMap((directory) => many(directory, 60));
    const names = [...long, ...Array.from({ length: 20 }, (_, at) => `short${at}/x`)];
    const { keeper } = await listed(names, { atOnce: 3, mostBelow: 100, longPages: 4 }, 5);
    expect(keeper.forgotten).toContain('long/ split');
    expect(keeper.listed).toEqual(names.toSorted());
  });

  it('lists a directory of too many directories flat', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `d${at}/x`);
    const { keeper } = await listed(names, { atOnce: 3, mostBelow: 10, longPages: 4 }, 5);
    expect(keeper.forgotten).toEqual([' flat']);
    expect(keeper.listed).toEqual(names.toSorted());
  });

  it('ends with the first error, once every lane has ended', async () => {
    const blobs = new FakeBlobs(0);
    for (const directory of ['a/', 'b/', 'c/']) for (const each of many(directory, 10)) blobs.put('lake', each);
    blobs.pageSize = 2;
    blobs.onRequest = (what) => {
      if (/^list lake\/b\/.* 4$/.test(what)) throw new Error('cut off');
    };
    const keeper = new MemoryKeeper('lake', ['']);
    const lanes = { atOnce: 3, mostBelow: 10, longPages: 40 };
    await expect(listParts(blobs, keeper, lanes, NEVER)).rejects.toThrow('cut off');
    const after = keeper.listed;
    await new Promise((soon) => setTimeout(soon, 5));
    expect(keeper.listed).toEqual(after);
  });

  it('7: misses no part that comes while it is asked which ones wait', async () => {
    const blobs = new FakeBlobs(0);
    const names = ['a/', 'b/', 'c/'].flatMap((directory) => many(directory, 3));
    for (const each of names) blobs.put('lake', each);
    blobs.pageSize = 2;
    const keeper = new MemoryKeeper('lake', ['']);
    const waiting = keeper.waiting.bind(keeper);
    // What is told is of the moment in which it was asked for.
    keeper.waiting = async (...of) => {
      const told = await waiting(...of);
      await new Promise((soon) => setTimeout(soon, 2));
      return told;
    };
    await listParts(blobs, keeper, { atOnce: 3, mostBelow: 10, longPages: 40 }, NEVER);
    expect(keeper.left).toBe(0);
    expect(keeper.listed).toEqual(names);
  });

  it('leaves no lane behind where the parts that wait cannot be had', async () => {
    const blobs = new FakeBlobs(0);
    for (const directory of ['a/', 'b/', 'c/']) for (const each of many(directory, 10)) blobs.put('lake', each);
    blobs.pageSize = 2;
    const keeper = new MemoryKeeper('lake', ['a/', 'b/', 'c/']);
    const waiting = keeper.waiting.bind(keeper);
    let asked = 0;
    keeper.waiting = async (...of) => {
      if (++asked > 1) throw new Error('no index');
      return waiting(...of);
    };
    const lanes = { atOnce: 4, mostBelow: 10, longPages: 40 };
    await expect(listParts(blobs, keeper, lanes, NEVER)).rejects.toThrow('no index');
    const after = keeper.listed;
    await new Promise((soon) => setTimeout(soon, 5));
    expect(keeper.listed).toEqual(after);
  });
});
