import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FEED_CONTAINER } from '../../../infra/local/storage/account.ts';
import type { EventGridEvent } from '../../../infra/local/storage/events/event-grid-event.ts';
import { decodeChunk, readFeed } from './read-feed.ts';
import { eventually, startTestStorage, type TestStorage } from './test-storage.ts';

async function put(storage: TestStorage, names: readonly string[]): Promise<void> {
  const container = storage.account.getContainerClient('faults');
  for (const name of names) await container.getBlockBlobClient(name).upload(name, name.length);
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${String(at).padStart(3, '0')}`);
}

function told(storage: TestStorage): string[] {
  return storage.events.map(({ subject }) => subject.split('/blobs/')[1] ?? '');
}

describe('the fault switches', () => {
  let storage: TestStorage;
  let brokerIsAway = false;

  beforeAll(async () => {
    const events: EventGridEvent[] = [];
    const started = await startTestStorage({
      publish: async (event) => {
        if (brokerIsAway) throw new Error('the broker is away');
        events.push(event);
      },
    });
    storage = { ...started, events };
    await storage.container('faults');
  });
  afterAll(() => storage[Symbol.asyncDispose]());
  beforeEach(async () => {
    await storage.control.clearFaults();
    await storage.settled();
    storage.events.length = 0;
  });

  it('drop, duplicate and reorder triggers, and replay tells all that were published', async () => {
    await storage.control.setFaults({ triggers: { dropRate: 1 } });
    await put(storage, names('dropped', 5));
    await storage.settled();
    expect(storage.events).toEqual([]);
    expect(await storage.control.state()).toMatchObject({ dropped: 5, published: 0, changes: 5 });

    await storage.control.setFaults({ triggers: { dropRate: 0, duplicateRate: 1 } });
    await put(storage, ['twice']);
    await eventually(async () => expect(told(storage)).toEqual(['twice', 'twice']));
    expect(storage.events[0]).toEqual(storage.events[1]);

    await storage.control.clearFaults();
    await storage.control.setFaults({ triggers: { reorder: true } });
    storage.events.length = 0;
    await put(storage, names('mixed', 60));
    await storage.settled();
    expect(told(storage).toSorted()).toEqual(names('mixed', 60));
    expect(told(storage)).not.toEqual(names('mixed', 60));

    await storage.control.clearFaults();
    storage.events.length = 0;
    expect(await storage.control.replayTriggers(2)).toEqual({ events: 122 });
    expect(told(storage).toSorted()).toEqual(
      ['twice', ...names('mixed', 60)].flatMap((name) => [name, name]).toSorted(),
    );
  });

  it('give triggers up: they go to the dead-letter container as Event Grid writes them, with what became of them', async () => {
    await storage.control.setFaults({ triggers: { deadLetterRate: 1 } });
    await put(storage, names('dead', 3));
    await storage.settled();
    const container = storage.account.getContainerClient('dead-letters');
    const dead: Record<string, unknown>[] = [];
    for await (const { name } of container.listBlobsFlat()) {
      expect(name).toMatch(/^isthmus\/ISTHMUS\/\d{4}\/\d+\/\d+\/\d+\/[0-9a-f-]+\.json$/);
      dead.push(...JSON.parse((await container.getBlobClient(name).downloadToBuffer()).toString()));
    }
    expect(dead.map(({ subject }) => String(subject).split('/blobs/')[1]).toSorted()).toEqual(names('dead', 3));
    const said = {
      deadLetterReason: 'MaxDeliveryAttemptsExceeded',
      deliveryAttempts: 30,
      lastDeliveryOutcome: 'NotFound',
    };
    expect(dead[0]).toMatchObject({ eventType: 'Microsoft.Storage.BlobCreated', ...said });
    expect(await storage.control.state()).toMatchObject({ deadLettered: 3 });
    // What tells of the container itself is delivered, or it would never end.
    expect(told(storage).every((name) => name.startsWith('isthmus/'))).toBe(true);
  });

  it('delay triggers, until they are told not to', async () => {
    await using storage = await startTestStorage();
    await storage.container('faults');
    await storage.settled();
    const began = Date.now();
    const pass = (ms: number) => storage.clock.set(new Date(began + ms).toISOString());
    /** The trigger that waits was looked at again and again by now. */
    const lookedAt = async () => {
      const before = storage.clock.sleeps;
      await eventually(async () => expect(storage.clock.sleeps).toBeGreaterThan(before + 2));
    };
    pass(0);
    await storage.control.setFaults({ triggers: { delayMs: 600 } });
    await put(storage, ['late']);
    pass(599);
    await lookedAt();
    expect(told(storage)).toEqual([]);
    expect((await storage.control.state()).pendingTriggers).toBe(1);
    pass(600);
    await eventually(async () => expect(told(storage)).toEqual(['late']));
    await storage.control.setFaults({ triggers: { delayMs: 3_600_000 } });
    await put(storage, ['much later']);
    await lookedAt();
    expect(told(storage)).toEqual(['late']);
    await eventually(async () => expect((await storage.control.state()).pendingTriggers).toBe(1));
    await storage.control.clearFaults();
    await eventually(async () => expect(told(storage)).toEqual(['late', 'much later']));
  });

  it('hold the feed back and let it go on without a loss', async () => {
    await storage.control.setFaults({ feed: { hold: true } });
    const before = (await readFeed(storage.account)).length;
    await put(storage, names('held', 4));
    expect(await storage.control.flushFeed()).toEqual({ pendingFeedRecords: 4 });
    expect((await readFeed(storage.account)).length).toBe(before);
    await storage.control.clearFaults();
    expect(await storage.control.flushFeed()).toEqual({ pendingFeedRecords: 0 });
    expect((await readFeed(storage.account)).length).toBe(before + 4);
  });

  it("tear a chunk's tail: part of a block now, the rest with the next flush", async () => {
    await using storage = await startTestStorage({ feed: { segmentMs: 3_600_000, flushMs: 3_600_000 } });
    await storage.container('faults');
    const chunk = async () => {
      const feed = storage.account.getContainerClient(FEED_CONTAINER);
      for await (const { name } of feed.listBlobsFlat({ prefix: 'log/' }))
        return feed.getBlobClient(name).downloadToBuffer();
      return Buffer.alloc(0);
    };
    await storage.control.setFaults({ feed: { tearTail: true } });
    await put(storage, names('whole', 2));
    await storage.control.flushFeed();
    const torn = await chunk();
    // Two records are on their way and no reader gets one: the block has no end.
    expect(await decodeChunk(torn)).toEqual([]);
    expect(torn.length).toBeGreaterThan(2_434 + 500);
    expect((await storage.control.state()).pendingFeedRecords).toBe(2);
    await put(storage, names('more', 2));
    await storage.control.flushFeed();
    const tornAgain = await chunk();
    expect(tornAgain.subarray(0, torn.length).equals(torn)).toBe(true);
    await storage.control.clearFaults();
    await storage.control.flushFeed();
    const whole = await chunk();
    expect(whole.subarray(0, tornAgain.length).equals(tornAgain)).toBe(true);
    expect((await decodeChunk(whole)).length).toBe(4);
  });

  it('refuse the feed to its readers, or leave them without an answer, and keep the account open', async () => {
    await put(storage, ['a']);
    const feed = storage.account.getContainerClient(FEED_CONTAINER).getBlobClient('meta/segments.json');
    await storage.control.setFaults({ feed: { refuse: true } });
    await expect(feed.download()).rejects.toMatchObject({ statusCode: 403, code: 'AuthorizationPermissionMismatch' });
    expect(await storage.account.getContainerClient('faults').exists()).toBe(true);
    await storage.control.setFaults({ feed: { refuse: false, stall: true } });
    const late = AbortSignal.timeout(500);
    await expect(feed.download(0, undefined, { abortSignal: late })).rejects.toThrow();
    expect(late.aborted).toBe(true);
    await storage.control.clearFaults();
    expect((await feed.download()).contentLength).toBeGreaterThan(0);
  });

  it('answer 429, 503 and 412 as the service prints them, and cut connections', async () => {
    await put(storage, ['a']);
    const url = `${storage.endpoint}/faults/a`;
    for (const [fault, status, code] of [
      ['error429Rate', 429, 'TooManyRequests'],
      ['error503Rate', 503, 'ServerBusy'],
    ] as const) {
      await storage.control.setFaults({ http: { [fault]: 1 } });
      const answer = await fetch(url);
      expect([answer.status, answer.headers.get('x-ms-error-code')]).toEqual([status, code]);
      expect(await answer.text()).toContain(`<Code>${code}</Code>`);
      await storage.control.clearFaults();
    }
    await storage.control.setFaults({ http: { error412Rate: 1 } });
    expect((await fetch(url)).status).not.toBe(412);
    expect((await fetch(url, { headers: { 'if-match': '"x"' } })).status).toBe(412);
    await storage.control.setFaults({ http: { error412Rate: 0, cutRate: 1 } });
    for (let round = 0; round < 4; round++) await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
  });

  it('1: tell every change though half of the connections are cut before or after it', async () => {
    await storage.control.setFaults({ http: { cutRate: 0.3, error503Rate: 0.1 } });
    const container = storage.account.getContainerClient('faults');
    await Promise.all(
      names('cut', 30).map((name) =>
        container
          .getBlockBlobClient(name)
          .upload(name, name.length)
          .catch(() => undefined),
      ),
    );
    await storage.control.clearFaults();
    await storage.settled();
    const last = new Map(
      storage.events
        .toSorted((a, b) => (String(a.data.sequencer).toLowerCase() < String(b.data.sequencer).toLowerCase() ? -1 : 1))
        .map(({ subject, data }) => [subject.split('/blobs/')[1], data.eTag]),
    );
    let blobs = 0;
    for await (const { name, properties } of container.listBlobsFlat({ prefix: 'cut' })) {
      expect([name, last.get(name)]).toEqual([name, properties.etag.replaceAll('"', '')]);
      blobs += 1;
    }
    expect(blobs).toBe(last.size);
  });

  it('refuse what is no switch, and keep the switches that are not named', async () => {
    await storage.control.setFaults({ feed: { hold: true } });
    await expect(storage.control.setFaults({ triggers: { dropRate: 2 } })).rejects.toThrow(/400.*dropRate/s);
    await expect(storage.control.setFaults({ trigers: {} } as never)).rejects.toThrow(/400.*trigers/s);
    expect(await storage.control.setFaults({ triggers: { dropRate: 0.5 } })).toMatchObject({
      feed: { hold: true },
      triggers: { dropRate: 0.5, duplicateRate: 0 },
    });
    expect((await storage.control.clearFaults()).feed.hold).toBe(false);
  });

  it('publish again what could not be published, and show why', async () => {
    brokerIsAway = true;
    await put(storage, names('kept', 100));
    await eventually(async () =>
      expect((await storage.control.state()).triggers.error).toContain('the broker is away'),
    );
    expect((await storage.control.state()).pendingTriggers).toBe(100);
    brokerIsAway = false;
    await storage.settled();
    expect(told(storage).toSorted()).toEqual(names('kept', 100));
  });
});
