import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SinkPace } from '../../../activities/vast/dispatch/sink-pace.ts';
import { StubDispatcher } from '../../../activities/vast/dispatch/stub-dispatcher.ts';
import { retryDelay } from '../../../activities/vast/dispatch/write-stub.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import type { PutStubResult, Sink, StubRequest } from '../../../schema/ports/sink.ts';
import { idleClock } from '../../support/idle-clock.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { MemoryTasks } from './memory-tasks.ts';
import { signal } from './sink-contract.ts';
import { testView } from './view-folder.ts';

const clock = {
  now: () => Date.now(),
  sleep: (ms: number, aborted?: AbortSignal) => sleep(ms, undefined, { signal: aborted }),
};

function dispatcherOf(sink: Sink, tasks: MemoryTasks): StubDispatcher {
  return new StubDispatcher({ sink, tasks, clock, random: () => 0 });
}

/** Runs until nothing is due, or for longer than any machine needs. */
async function drain(sink: Sink, tasks: MemoryTasks): Promise<StubDispatcher> {
  const until = Date.now() + PATIENCE_MS;
  const dispatcher = dispatcherOf(sink, tasks);
  const quiet = new AbortController();
  const running = dispatcher.run(until, quiet.signal).catch((error) => {
    if (!quiet.signal.aborted) throw error;
  });
  while (tasks.due > 0 && Date.now() < until) await sleep(5);
  quiet.abort();
  await running;
  return dispatcher;
}

/** A sink of which only `putStub` is asked. */
function putting(putStub: (stub: StubRequest) => Promise<PutStubResult>): Sink {
  return { putStub } as unknown as Sink;
}

describe('the dispatcher', () => {
  it('6: brings the sink to what the entries say, and writes down what stands there', async () => {
    await using view = await testView();
    const tasks = new MemoryTasks();
    for (let at = 0; at < 600; at++) tasks.set(`lake/${at % 7}/${at}`, `0x${at}`);
    tasks.set('lake/x//y', '0x1');
    const { counts } = await drain(view.sink, tasks);
    expect(counts).toEqual({ written: 600, removed: 0, unchanged: 1, failed: 0 });
    expect(tasks.stateOf('lake/0/0')).toMatchObject({ state: 'stub', etag: '0x0' });
    expect(tasks.stateOf('lake/x//y')).toMatchObject({ state: 'unrepresentable' });
  });

  it('6: gaining and losing the last live name below makes a shadowed name due again', async () => {
    await using view = await testView();
    const tasks = new MemoryTasks();
    tasks.set('lake/a', '0xa');
    await drain(view.sink, tasks);
    tasks.set('lake/a/b/c', '0xc');
    await drain(view.sink, tasks);
    expect(tasks.stateOf('lake/a')).toMatchObject({ state: 'shadowed' });
    expect(tasks.stateOf('lake/a/b/c')).toMatchObject({ state: 'stub' });
    tasks.delete('lake/a/b/c');
    await drain(view.sink, tasks);
    expect(tasks.stateOf('lake/a')).toMatchObject({ state: 'stub', etag: '0xa' });
  });

  it('6: names above and below each other in one claim end with the directory', async () => {
    await using view = await testView();
    const tasks = new MemoryTasks();
    for (let at = 0; at < 50; at++) {
      for (const name of ['', '/b', '/b/c', '/b/c/d']) tasks.set(`lake/${at}${name}`, '0x1');
    }
    await drain(view.sink, tasks);
    for (let at = 0; at < 50; at++) {
      expect(tasks.stateOf(`lake/${at}`)).toMatchObject({ state: 'shadowed' });
      expect(tasks.stateOf(`lake/${at}/b/c`)).toMatchObject({ state: 'shadowed' });
      expect(tasks.stateOf(`lake/${at}/b/c/d`)).toMatchObject({ state: 'stub' });
    }
  });

  it('a directory with nothing live in it is a conflict, not a shadow', async () => {
    await using view = await testView();
    const tasks = new MemoryTasks();
    tasks.set('lake/a/b', '0x1');
    await drain(view.sink, tasks);
    tasks.forget('lake/a/b');
    tasks.set('lake/a', '0x1');
    await drain(view.sink, tasks);
    expect(tasks.stateOf('lake/a')).toMatchObject({ state: 'conflict' });
  });

  it('a name that fails backs off alone, with its reason, and the others go on', async () => {
    const idle = idleClock();
    const tasks = new MemoryTasks(idle);
    for (let at = 0; at < 300; at++) tasks.set(`lake/${at}`, '0x1');
    const sink = putting(async ({ key }) => {
      if (key.name === '7') throw new IsthmusError('ISTHMUS_SINK', 'EIO: the disk is tired');
      return { outcome: 'created' };
    });
    const dispatcher = new StubDispatcher({ sink, tasks, clock: idle, random: () => 0 });
    await dispatcher.run(idle.now() + 2000, signal);
    expect(dispatcher.counts.written).toBe(299);
    // At once, after half a second and a second later, less a quarter: never in a tight loop.
    expect(dispatcher.counts.failed).toBe(3);
    expect(tasks.stateOf('lake/7')).toMatchObject({ state: 'failed', detail: 'EIO: the disk is tired' });
  });

  it('a sink that takes nothing ends the turn with what it said', async () => {
    const tasks = new MemoryTasks();
    for (let at = 0; at < 1000; at++) tasks.set(`lake/${at}`, '0x1');
    const sink = putting(() => Promise.reject(new IsthmusError('ISTHMUS_SINK', 'ENOSPC: no space left')));
    await expect(dispatcherOf(sink, tasks).run(Date.now() + PATIENCE_MS, signal)).rejects.toThrow(
      /ENOSPC: no space left/,
    );
    expect(tasks.due).toBe(1000);
  });

  it('6: an entry that moves while its stub is written is written again', async () => {
    const tasks = new MemoryTasks();
    tasks.set('lake/a', '0x1');
    const seen: string[] = [];
    const sink = putting(async ({ attributes }) => {
      seen.push(attributes.etag);
      if (seen.length === 1) tasks.set('lake/a', '0x2');
      return { outcome: 'created' };
    });
    await drain(sink, tasks);
    expect(seen).toEqual(['0x1', '0x2']);
    expect(tasks.stateOf('lake/a')).toMatchObject({ state: 'stub', etag: '0x2' });
  });

  it('a cancelled turn finishes what is under way and gives back what it had not begun', async () => {
    const tasks = new MemoryTasks();
    for (let at = 0; at < 400; at++) tasks.set(`lake/${at}`, '0x1');
    const abort = new AbortController();
    let puts = 0;
    const sink = putting(async () => {
      await sleep(20);
      if (++puts === 64) abort.abort(new Error('paused'));
      return { outcome: 'created' };
    });
    await expect(dispatcherOf(sink, tasks).run(Date.now() + PATIENCE_MS, abort.signal)).rejects.toThrow('paused');
    expect(tasks.due).toBe(400 - puts);
    expect((await tasks.claim(1000, 1000)).length).toBe(400 - puts);
  });

  it('keeps many in flight', async () => {
    const tasks = new MemoryTasks();
    for (let at = 0; at < 256; at++) tasks.set(`lake/${at}`, '0x1');
    let now = 0;
    let most = 0;
    const sink = putting(async () => {
      most = Math.max(most, ++now);
      await sleep(5);
      now--;
      return { outcome: 'created' };
    });
    await drain(sink, tasks);
    expect(most).toBe(64);
  });
});

describe('backing off', () => {
  it('doubles up to five minutes', () => {
    const spread = () => 1 - Number.EPSILON;
    expect([0, 1, 2, 9, 10, 1000].map((tries) => retryDelay(tries, spread))).toEqual([
      500, 1000, 2000, 256_000, 300_000, 300_000,
    ]);
  });

  it('halves what is in flight while half of the names fail, and comes back step by step', () => {
    const pace = new SinkPace({ most: 64, patience: 1000 });
    for (let batch = 0; batch < 9; batch++) pace.batch(10, 50);
    expect(pace.pace).toEqual({ atOnce: 1, pauseMs: 5000 });
    pace.batch(256, 0);
    expect(pace.pace).toEqual({ atOnce: 9, pauseMs: 0 });
    for (let batch = 0; batch < 9; batch++) pace.batch(256, 1);
    expect(pace.pace.atOnce).toBe(9);
    for (let batch = 0; batch < 9; batch++) pace.batch(256, 0);
    expect(pace.pace.atOnce).toBe(64);
  });
});
