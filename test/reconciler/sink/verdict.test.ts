import { describe, expect, it } from 'vitest';
import { parseKey } from '../../../namespace/key.ts';
import type { Rule } from '../../../namespace/rule.ts';
import { stopReason } from '../../../reconciler/sink/check-sink.ts';
import { judgeName, type Sides } from '../../../reconciler/sink/verdict.ts';
import type { StubEntry } from '../../../schema/index/stub-entries.ts';

const RULE: Rule = { prefix: '', authority: 'blob', sink: 'vast' };
const LIVE: StubEntry = {
  ...{ live: true, etag: '0x1', length: 10, revision: 1, seen: 1, source: 'feed', sink: 'vast', lookDue: false },
  ...{ due: false, leased: false, stubAt: 1, stubState: 'stub', detail: undefined },
};
const DEAD: StubEntry = { ...LIVE, live: false, etag: undefined, length: undefined, stubState: 'none' };
const STUB = { kind: 'file', etag: '0x1', length: 10, state: 'stub' } as const;
const FOREIGN = { kind: 'file', etag: undefined, length: 3, state: 'foreign' } as const;
const SOUND: Sides = {
  ...{ key: parseKey('lake/a'), sink: 'vast', rule: RULE, entry: LIVE, found: STUB },
  ...{ liveBelow: false, hydrating: false },
};
const ABSENT = { found: { kind: 'absent' } } as const;
const FOLDER = { found: { kind: 'directory' } } as const;
const ELSEWHERE = { rule: { ...RULE, sink: 'other' } } as const;

describe('a name in a sink', () => {
  it.each<[string, Partial<Sides>]>([
    ['shows the entry', {}],
    ['is dead and not there', { entry: DEAD, ...ABSENT }],
    ['is dead, and live names below it have its directory', { entry: DEAD, ...FOLDER, liveBelow: true }],
    ['is unknown and not there', { entry: undefined, ...ABSENT }],
    ['is VAST’s own', { rule: { ...RULE, authority: 'vast' }, entry: undefined }],
    ['is the canary', { rule: { ...RULE, authority: 'isthmus' }, entry: undefined, found: FOREIGN }],
    ['is somebody’s where no rule names this sink', { rule: undefined, entry: undefined, found: FOREIGN }],
    ['is shown by another sink', { ...ELSEWHERE, entry: { ...LIVE, sink: 'other' }, ...ABSENT }],
  ])('is right where it %s', (_what, sides) => {
    expect(judgeName({ ...SOUND, ...sides })).toEqual({ kind: 'right' });
  });

  it.each<[string, Partial<Sides>]>([
    ['its stub is due', { entry: { ...LIVE, due: true }, ...ABSENT }],
    ['somebody writes it', { entry: { ...LIVE, leased: true }, found: { ...STUB, etag: '0x0' } }],
    ['it is dead and due', { entry: { ...DEAD, due: true } }],
    ['a look will tell what it is', { entry: { ...DEAD, lookDue: true } }],
    ['it was hydrated just now', { found: { ...STUB, state: 'hydrated' }, hydrating: true }],
    ['it is to be handed over', { ...ELSEWHERE, entry: { ...LIVE, due: true }, ...ABSENT }],
    ['it is written while its rule moves', { ...ELSEWHERE, entry: { ...LIVE, leased: true } }],
  ])('is on its way where %s', (_what, sides) => {
    expect(judgeName({ ...SOUND, ...sides })).toEqual({ kind: 'on-its-way' });
  });

  it.each<[string, Partial<Sides>, string, string]>([
    ['is not there', ABSENT, 'stub-missing', 'due'],
    [
      'is not there, and the index has no sink of it',
      { ...ABSENT, entry: { ...LIVE, sink: undefined } },
      'stub-missing',
      'look',
    ],
    ['has a directory of nothing live', FOLDER, 'stub-missing', 'due'],
    ['was not handed over', { ...ELSEWHERE, ...ABSENT }, 'stub-missing', 'due'],
    ['is of another version', { found: { ...STUB, etag: '0x0' } }, 'stub-wrong', 'due'],
    ['is cut', { found: { ...STUB, length: 4 } }, 'stub-wrong', 'due'],
    ['lets readers in', { found: { ...STUB, damage: 'open' } }, 'stub-wrong', 'due'],
    ['is hydrated, which nobody told', { found: { ...STUB, state: 'hydrated' } }, 'stub-wrong', 'due'],
    ['is a stub, and hydrated in the index', { entry: { ...LIVE, stubState: 'hydrated' } }, 'stub-wrong', 'due'],
    ['is dead', { entry: DEAD }, 'stub-stray', 'due'],
    ['is unknown', { entry: undefined }, 'stub-stray', 'look'],
    ['is another sink’s', ELSEWHERE, 'stub-stray', 'remove'],
    ['is under no rule any more', { rule: undefined, entry: undefined }, 'stub-stray', 'remove'],
    ['is not ours and nobody’s', { entry: undefined, found: FOREIGN }, 'foreign-file', 'none'],
    [
      'stands in the way of a stub, as is known',
      { entry: { ...LIVE, stubState: 'conflict' }, found: FOREIGN },
      'foreign-file',
      'none',
    ],
    ['stands in the way of a stub', { found: FOREIGN }, 'foreign-file', 'due'],
    ['is no path', { key: parseKey('lake/a//b'), ...ABSENT }, 'unrepresentable-name', 'none'],
    [
      'is refused by the file system',
      { entry: { ...LIVE, stubState: 'unrepresentable' }, ...ABSENT },
      'unrepresentable-name',
      'none',
    ],
    [
      'is hidden, as is known',
      { entry: { ...LIVE, stubState: 'shadowed' }, ...FOLDER, liveBelow: true },
      'unrepresentable-name',
      'none',
    ],
    ['is hidden', { ...FOLDER, liveBelow: true }, 'unrepresentable-name', 'due'],
  ])('that %s is told with its cause', (_what, sides, cause, remedy) => {
    expect(judgeName({ ...SOUND, ...sides })).toMatchObject({ kind: 'wrong', cause, remedy });
  });

  it('7: only what is both more than the percent and more than the names stops a repair', () => {
    const stop = { percent: 10, names: 5 };
    const counts = { missing: 0, strays: 0, live: 100, files: 100 };
    expect(stopReason({ ...counts, missing: 10, strays: 10 }, stop)).toBeUndefined();
    expect(stopReason({ ...counts, live: 5, missing: 5 }, stop)).toBeUndefined();
    expect(stopReason({ ...counts, missing: 11 }, stop)).toContain('at least 11 of 100 live names have no stub there');
    expect(stopReason({ ...counts, strays: 11 }, stop)).toContain('at least 11 of 100 files there are of names');
    expect(stopReason({ ...counts, files: 0, missing: 11 }, stop)).toMatch(/^it holds nothing at all/);
  });
});
