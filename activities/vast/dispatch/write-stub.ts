import type { Key } from '../../../namespace/key.ts';
import { ancestorsOf } from '../../../namespace/path.ts';
import { ensureError, IsthmusError } from '../../../schema/errors.ts';
import type { StubResult, StubState, StubTask } from '../../../schema/index/stubs.ts';
import type { PutStubResult, RemoveResult, Sink } from '../../../schema/ports/sink.ts';

/** How a task ended, in the words of the turn's summary. */
export type StubOutcome = 'written' | 'removed' | 'unchanged' | 'failed';

export interface WrittenStub {
  readonly outcome: StubOutcome;
  readonly result: StubResult;
  /** Names whose stub depends on what was done here. */
  readonly due: readonly Key[];
  /** Names that this one's directories shadow. */
  readonly above: readonly Key[];
}

export interface WriteOptions {
  readonly sink: Sink;
  readonly hasLiveBelow: (key: Key) => Promise<boolean>;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** As many directories as a name can have are taken from files that stand in the way, then the name waits its turn. */
const DISPLACEMENTS = 16;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 300_000;

/**
 * Makes the sink show what the entry says (invariant 6). What is done follows from the task's computed liveness
 * and from what stands in the sink, never from the change that made the task due.
 *
 * Shadowing: the directory wins. A file in the way of a directory gives way, and every name above one that
 * stands is due until it is written down as shadowed; every name above one that goes is due, for its directory
 * may have gone. Both follow from what stands, so a crash in between loses neither. Never throws for the one name.
 */
export async function writeStub(task: StubTask, options: WriteOptions, signal: AbortSignal): Promise<WrittenStub> {
  const due: Key[] = [];
  try {
    return task.live ? await put(task, options, due, signal) : await remove(task, options, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    const detail = ensureError(thrown).message;
    const retryInMs = retryDelay(task.tries, options.random);
    return { outcome: 'failed', result: { ...same(task), state: 'failed', detail, retryInMs }, due, above: [] };
  }
}

/** Doubles with each failure of this name, up to five minutes; spread, so that names that failed together do not come together. */
export function retryDelay(tries: number, random: () => number): number {
  const delay = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** Math.min(tries, 20));
  return Math.round(delay * (0.75 + random() * 0.25));
}

async function put(task: StubTask, options: WriteOptions, due: Key[], signal: AbortSignal): Promise<WrittenStub> {
  const { attributes, key, revision, otherNames: formerly } = task;
  if (attributes === undefined) throw new IsthmusError('ISTHMUS_ASSERTION', 'a live entry has no attributes');
  const etag = attributes.etag;
  for (let attempt = 0; attempt < DISPLACEMENTS; attempt++) {
    const placed: PutStubResult = await options.sink.putStub({ key, attributes, revision, formerly }, signal);
    const above = ancestorsOf(key);
    switch (placed.outcome) {
      case 'displaced':
        due.push(placed.ancestor);
        continue;
      case 'created':
      case 'updated':
        return { outcome: 'written', result: { ...same(task), state: 'stub', etag }, due, above };
      case 'unchanged':
        return { outcome: 'unchanged', result: { ...same(task), state: 'stub', etag }, due, above };
      case 'hydrated':
        return { outcome: 'unchanged', result: { ...same(task), state: 'hydrated', etag }, due, above };
      case 'shadowed': {
        const result = (await options.hasLiveBelow(key))
          ? ({ ...same(task), state: 'shadowed', detail: 'live names below this one need its directory' } as const)
          : ({
              ...same(task),
              state: 'conflict',
              detail: 'a directory stands there, with nothing live in it',
            } as const);
        return { outcome: 'unchanged', result, due, above: [] };
      }
      case 'conflict':
      case 'unrepresentable':
        return {
          outcome: 'unchanged',
          result: { ...same(task), state: placed.outcome, detail: placed.reason },
          due,
          above: [],
        };
    }
  }
  throw new IsthmusError('ISTHMUS_SINK', 'files keep standing where its directories must be');
}

async function remove(task: StubTask, options: WriteOptions, signal: AbortSignal): Promise<WrittenStub> {
  const { otherNames = [] } = task;
  const gone = await options.sink.remove(task.key, signal, otherNames.length > 0 ? 'keep' : 'drop');
  // Its directories may have gone with it. And a stub that was made under its new name before its bytes were kept takes
  // them yet.
  const moved = mayHaveKept(task.stubState, gone) ? otherNames : [];
  const due = [...ancestorsOf(task.key), ...moved];
  const above: readonly Key[] = [];
  switch (gone.outcome) {
    case 'removed':
      return { outcome: 'removed', result: { ...same(task), state: 'none' }, due, above };
    case 'absent':
    case 'unrepresentable':
      return { outcome: 'unchanged', result: { ...same(task), state: 'none' }, due, above };
    case 'conflict':
      return { outcome: 'unchanged', result: { ...same(task), state: 'conflict', detail: gone.reason }, due, above };
  }
}

/**
 * Whether bytes were kept now, or may have been by a removal that failed or crashed once it had. Each state that says so
 * ends with the removal, so that two dead names that are each other's new ones do not make each other due for ever.
 */
function mayHaveKept(claimed: StubState, gone: RemoveResult): boolean {
  if (gone.outcome === 'removed' && gone.kept) return true;
  if (claimed === 'hydrated' || claimed === 'failed') return true;
  return claimed === 'stub' && gone.outcome === 'absent';
}

function same(task: StubTask): Pick<StubResult, 'key' | 'revision' | 'lease'> {
  return { key: task.key, revision: task.revision, lease: task.lease };
}
