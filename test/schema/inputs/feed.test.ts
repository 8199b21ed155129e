import { describe, expect, it } from 'vitest';
import { checkRewind, checkSkip } from '../../../schema/inputs/feed.ts';
import { checkReplay, checkTail } from '../../../schema/inputs/feed-jobs.ts';

const NOW = Date.parse('2026-11-21T15:00:00Z');
const WHY = { reason: 'why' };
const CHUNK = 'log/00/2026/11/21/1400/00000.avro';

describe("the update rewind's input", () => {
  it.each([
    [{ secondsAgo: 3600, ...WHY }, { seconds: 3600 }],
    [{ to: '2026-11-21T14:00:00Z', ...WHY }, { to: '2026-11-21T14:00:00Z' }],
    [{ to: '2026-11-21', ...WHY }, { to: '2026-11-21' }],
    [{ cursor: { segment: 'idx/segments/2026/11/21/1400/meta.json' }, ...WHY }, { cursor: expect.anything() }],
    [{ cursor: { segment: 's', shards: { 'log/00/': { chunk: 'c', offset: 0, index: 2 } } }, ...WHY }, {}],
  ])('may be %j', (input, expected) => {
    expect(checkRewind(input, NOW)).toMatchObject({ value: { reason: 'why', ...expected } });
  });

  it.each([
    [undefined, 'rewind takes one JSON object, but was given nothing.'],
    ['1h', 'rewind takes one JSON object, but was given "1h".'],
    [{ secondsAgo: 60 }, 'rewind needs "reason": expected why, in words'],
    [{ secondsAgo: 60, reason: ' ' }, 'rewind: "reason" is " ", but expected why'],
    [
      WHY,
      'rewind needs one of {"to": TIME}, {"secondsAgo": NUMBER} and {"cursor": {"segment": ...}}, but was given none.',
    ],
    [{ to: '2026-11-21', secondsAgo: 1, ...WHY }, 'but was given to and secondsAgo.'],
    [{ to: 'yesterday', ...WHY }, 'rewind: "to" is "yesterday", but expected a time of ISO 8601 with its zone'],
    [{ to: '2026-11-21T14:00:00', ...WHY }, 'rewind: "to" is "2026-11-21T14:00:00", but expected a time'],
    [{ to: '2026-13-41T14:00:00Z', ...WHY }, 'but expected a time'],
    [{ to: '2026-02-30', ...WHY }, 'rewind: "to" is "2026-02-30", but expected a time'],
    [{ to: '2026-04-31T14:00:00Z', ...WHY }, 'but expected a time'],
    [{ to: '2026-11-21T15:00:01Z', ...WHY }, 'which is yet to come: it is 2026-11-21T15:00:00.000Z.'],
    [{ secondsAgo: '60', ...WHY }, 'rewind: "secondsAgo" is "60", but expected a number of seconds above 0.'],
    [{ secondsAgo: -1, ...WHY }, 'rewind: "secondsAgo" is -1'],
    [{ secondsAgo: 1e13, ...WHY }, 'rewind: "secondsAgo" goes back further than time is counted.'],
    [{ cursor: { shards: {} }, ...WHY }, 'rewind: "cursor" is {"shards":{}}, but expected {"segment": '],
    [{ cursor: { segment: 's', shards: { 'log/00/': { chunk: 'c' } } }, ...WHY }, 'rewind: "cursor" is'],
    [{ seconds: 60, ...WHY }, 'rewind has no field "seconds". Its fields: to, secondsAgo, cursor, reason.'],
  ])('is refused as %j, readably and with an example', (input, message) => {
    const checked = checkRewind(input, NOW);
    expect(checked).toMatchObject({ problem: expect.stringContaining(message) });
    expect(checked).toMatchObject({ problem: expect.stringMatching(/ Example: \{"secondsAgo":3600,"reason":/) });
  });
});

describe("the update skip's input", () => {
  it('names a block and a reason', () => {
    const input = { chunk: CHUNK, offset: 4096, reason: ' damaged ' };
    expect(checkSkip(input)).toEqual({ value: { ...input, reason: 'damaged' } });
  });

  it.each([
    [{ offset: 0, ...WHY }, 'skip needs "chunk"'],
    [{ chunk: CHUNK, ...WHY }, 'skip needs "offset"'],
    [{ chunk: CHUNK, offset: 1.5, ...WHY }, 'skip: "offset" is 1.5'],
    [{ chunk: CHUNK, offset: 4096 }, 'skip needs "reason"'],
  ])('is refused as %j', (input, message) => {
    expect(checkSkip(input)).toMatchObject({ problem: expect.stringContaining(message) });
  });
});

describe('what a replay starts with', () => {
  it.each([
    { federation: 'lake' },
    { federation: 'lake', from: '2026-11-21T13:00Z', to: '2026-11-21T15:00+01:00' },
    { federation: 'lake', from: '2026-11-20', prefix: 'lake/raw/', recordsPerSecond: 9 },
    { federation: 'lake', carried: { turns: 1, totals: {} } },
  ])('may be %j', (input) => {
    expect(checkReplay(input)).toEqual({ value: input });
  });

  it.each([
    [undefined, 'replay takes one JSON object, but was given nothing.'],
    [{}, 'replay needs "federation": expected the federation\'s name, as in its file.'],
    [{ federation: 'lake', from: 1 }, 'replay: "from" is 1, but expected a time of ISO 8601'],
    [{ federation: 'lake', prefix: '' }, 'replay: "prefix" is "", but expected a plain prefix of CONTAINER/NAME.'],
    [{ federation: 'lake', recordsPerSecond: 0 }, 'replay: "recordsPerSecond" is 0'],
    [{ federation: 'lake', form: '2026-11-21' }, 'Its fields: federation, from, to, prefix, recordsPerSecond.'],
    [{ federation: 'lake', from: '2026-11-21', to: '2026-11-20' }, '"from" is "2026-11-21", which is not before "to"'],
  ])('is refused as %j, readably and with an example', (input, message) => {
    expect(checkReplay(input)).toMatchObject({ problem: expect.stringContaining(message) });
    expect(checkReplay(input)).toMatchObject({ problem: expect.stringContaining(' Example: {"federation":"lake"') });
  });
});

describe('what a feed tail starts with', () => {
  it("may be the federation's name alone", () => {
    expect(checkTail({ federation: 'lake' })).toEqual({
      value: { federation: 'lake', turnSeconds: 10, idleSeconds: 1 },
    });
  });

  it.each([
    [{ turnSeconds: 1 }, 'feedTail needs "federation"'],
    [{ federation: 'lake', idleSeconds: 'long' }, 'feedTail: "idleSeconds" is "long", but expected how long to rest'],
  ])('is refused as %j', (input, message) => {
    expect(checkTail(input)).toMatchObject({ problem: expect.stringContaining(message) });
  });
});
