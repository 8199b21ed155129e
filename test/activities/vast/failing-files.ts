import { type Files, loadExtendedAttributes, systemFiles } from '../../../activities/vast/file-view/files.ts';

/** What a test does to the steps of a view. */
export interface Steps {
  readonly files: Files;
  /** The changing steps that were taken, in order. */
  readonly taken: readonly string[];
  /** From the changing step with this number on (the first is 0) every call fails, as after a crash. */
  crashAt: number;
  /** Fails every call of this step. */
  failing: { readonly step: keyof Files; readonly code: string } | undefined;
}

const READING: ReadonlySet<keyof Files> = new Set(['stat', 'statOpen', 'readText', 'getAttribute', 'close', 'pinned']);

/** The system's own calls, which stop or fail where a test wants it. */
export async function failingFiles(): Promise<Steps> {
  const system = systemFiles(await loadExtendedAttributes());
  const taken: string[] = [];
  const steps: Steps & { files: Files } = {
    files: system,
    taken,
    crashAt: Number.POSITIVE_INFINITY,
    failing: undefined,
  };
  const guarded = Object.entries(system).map(([name, call]) => {
    const step = name as keyof Files;
    const guard = (...given: never[]): unknown => {
      if (taken.length >= steps.crashAt && step !== 'close') throw new Crash();
      if (steps.failing?.step === step)
        throw Object.assign(new Error(steps.failing.code), { code: steps.failing.code });
      if (!READING.has(step)) taken.push(step);
      return (call as (...args: never[]) => unknown)(...given);
    };
    return [name, guard];
  });
  steps.files = Object.fromEntries(guarded) as unknown as Files;
  return steps;
}

/** The process was killed here. */
export class Crash extends Error {}
