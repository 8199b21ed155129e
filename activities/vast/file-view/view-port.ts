import type { Key } from '../../../namespace/key.ts';
import type { HydrateResult, PutStubResult, RemoveResult, Standing, StubRequest } from '../../../schema/ports/sink.ts';
import type { Description, HydrateStart, View } from './view.ts';

/** The operations of a view that may run in another thread, as messages. */
export type ViewJob =
  | { readonly op: 'put'; readonly stub: StubRequest; readonly deadline: number }
  | { readonly op: 'remove'; readonly key: Key; readonly bytes?: 'drop' | 'keep' | undefined }
  | { readonly op: 'start-hydrate'; readonly stub: StubRequest }
  | { readonly op: 'finish-hydrate'; readonly stub: StubRequest; readonly temp: string; readonly deadline: number }
  | { readonly op: 'describe'; readonly paths: readonly string[] }
  | { readonly op: 'inspect'; readonly key: Key }
  | { readonly op: 'clean'; readonly paths: readonly string[]; readonly olderThanMs: number };

export interface ViewAnswers {
  readonly put: PutStubResult;
  readonly remove: RemoveResult;
  readonly 'start-hydrate': HydrateStart;
  readonly 'finish-hydrate': HydrateResult;
  readonly describe: readonly (Description | undefined)[];
  readonly inspect: Standing;
  readonly clean: number;
}

export type ViewAnswer = ViewAnswers[keyof ViewAnswers];

export function runJob(view: View, job: ViewJob): ViewAnswer {
  switch (job.op) {
    case 'put':
      return view.put(job.stub, job.deadline);
    case 'remove':
      return view.remove(job.key, job.bytes);
    case 'start-hydrate':
      return view.startHydrate(job.stub);
    case 'finish-hydrate':
      return view.finishHydrate(job.stub, job.temp, job.deadline);
    case 'describe':
      return job.paths.map((path) => view.describe(path));
    case 'inspect':
      return view.inspect(job.key);
    case 'clean':
      return view.clean(job.paths, job.olderThanMs);
  }
}

/** Runs jobs somewhere. */
export interface ViewRunner {
  run<Job extends ViewJob>(job: Job): Promise<ViewAnswers[Job['op']]>;
  close(): Promise<void>;
}

/** Runs jobs at once, in this thread: for tests that stop a view at a chosen step. */
export function inlineRunner(view: View): ViewRunner {
  return {
    async run<Job extends ViewJob>(job: Job) {
      return runJob(view, job) as ViewAnswers[Job['op']];
    },
    close: () => Promise.resolve(),
  };
}
