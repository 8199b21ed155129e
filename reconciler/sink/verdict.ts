import type { Key } from '../../namespace/key.ts';
import { pathOf } from '../../namespace/path.ts';
import { type Rule, stubSink } from '../../namespace/rule.ts';
import type { Cause } from '../../schema/drift/cause.ts';
import type { StubEntry } from '../../schema/index/stub-entries.ts';
import type { Standing } from '../../schema/ports/sink.ts';

/** One name, as rules, index and sink have it at one moment. */
export interface Sides {
  readonly key: Key;
  /** The sink that is judged. */
  readonly sink: string;
  readonly rule: Rule | undefined;
  readonly entry: StubEntry | undefined;
  readonly found: Standing;
  /** Asked where a directory stands there: whether it has live names. */
  readonly liveBelow: boolean;
  /** Files are being hydrated: the index hears of each a little later. */
  readonly hydrating: boolean;
}

/**
 * What mends a wrong name. `due`: its stub is made due, and the dispatcher does the rest. `look`: the index has no entry
 * that could be due, so the blob is asked for. `remove`: no dispatcher has it, as its rule names another sink.
 */
export type Remedy = 'due' | 'look' | 'remove' | 'none';

export type Verdict =
  | { readonly kind: 'right' }
  /** Somebody is about to write it. */
  | { readonly kind: 'on-its-way' }
  | { readonly kind: 'wrong'; readonly cause: Cause; readonly remedy: Remedy; readonly note: string };

const RIGHT: Verdict = { kind: 'right' };
const ON_ITS_WAY: Verdict = { kind: 'on-its-way' };

/** Whether a sink shows a name as it must, and else why not and what mends it. */
export function judgeName(sides: Sides): Verdict {
  const { rule, entry, found, sink } = sides;
  if (rule?.authority === 'vast' || rule?.authority === 'isthmus') return RIGHT;
  const ruled = stubSink(rule);
  const isOurs = found.kind === 'file' && found.state !== 'foreign';
  if (ruled !== sink) {
    const instead = ruled === undefined ? 'no rule keeps a stub of it' : `its rule names sink ${ruled}`;
    const isHeld = entry?.sink === sink && entry.leased;
    if (isOurs) return isHeld ? ON_ITS_WAY : wrong('stub-stray', 'remove', instead);
    // The dispatcher hands it over to the other sink.
    if (ruled === undefined || !entry?.live || entry.sink !== sink) return RIGHT;
    return isHeld || entry.due ? ON_ITS_WAY : wrong('stub-missing', 'due', instead);
  }
  if (entry?.due || entry?.leased) return ON_ITS_WAY;
  if (entry?.live) return judgeLive(sides, entry);
  if (found.kind !== 'file') return RIGHT;
  if (!isOurs) return wrong('foreign-file', 'none', 'Isthmus did not make it, and leaves it alone');
  if (entry?.lookDue) return ON_ITS_WAY;
  if (entry?.sink === sink) return wrong('stub-stray', 'due', entry.detail ?? 'its blob is gone');
  return wrong('stub-stray', 'look', 'the index does not know its blob');
}

function judgeLive({ key, sink, found, liveBelow, hydrating }: Sides, entry: StubEntry): Verdict {
  // Of no sink it cannot be due: the look finds its rule.
  const remedy: Remedy = entry.sink === undefined ? 'look' : 'due';
  const { stubState } = entry;
  switch (found.kind) {
    case 'absent': {
      const path = pathOf(key);
      if ('unrepresentable' in path) return wrong('unrepresentable-name', 'none', path.unrepresentable);
      if (stubState === 'unrepresentable')
        return wrong('unrepresentable-name', 'none', entry.detail ?? 'it is no path');
      return wrong('stub-missing', remedy, entry.detail ?? `the index has it as ${stubState}`);
    }
    case 'directory':
      if (!liveBelow) return wrong('stub-missing', remedy, 'a directory stands there, with nothing live in it');
      return wrong(
        'unrepresentable-name',
        stubState === 'shadowed' ? 'none' : remedy,
        'live names below this one need its directory',
      );
    case 'file': {
      if (found.state === 'foreign') {
        const note = 'Isthmus did not make it, and leaves it alone: the blob has no stub';
        return wrong('foreign-file', stubState === 'conflict' ? 'none' : remedy, note);
      }
      const differs: string[] = [];
      if (found.etag !== entry.etag) differs.push(`its ETag is ${found.etag}, not ${entry.etag}`);
      if (found.length !== entry.length) differs.push(`it has ${found.length} bytes, not ${entry.length}`);
      if (found.damage === 'open') differs.push('it is a stub that others may read');
      if (found.damage === 'changed') differs.push('somebody wrote to it');
      if (differs.length > 0) return wrong('stub-wrong', remedy, differs.join('; '));
      if (found.state === stubState && entry.sink === sink) return RIGHT;
      if (found.state === 'hydrated' && hydrating) return ON_ITS_WAY;
      return wrong('stub-wrong', remedy, `it is ${found.state}, and the index has it as ${stubState}`);
    }
  }
}

function wrong(cause: Cause, remedy: Remedy, note: string): Verdict {
  return { kind: 'wrong', cause, remedy, note };
}
