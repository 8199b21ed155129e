import { parentPort, workerData } from 'node:worker_threads';
import { ensureError } from '../../../schema/errors.ts';
import { loadExtendedAttributes, systemFiles } from './files.ts';
import type { ViewSettings } from './settings.ts';
import { View } from './view.ts';
import { runJob, type ViewAnswer, type ViewJob } from './view-port.ts';

/** One thread of a view: takes lists of jobs, answers each list with a list in the same order. */
export type ThreadAnswer = { readonly answer: ViewAnswer } | { readonly error: string };

/** What a thread is started with. */
export interface ThreadStart {
  readonly settings: ViewSettings;
  /** See `TempFiles`. */
  readonly thread: number;
}

const { settings, thread } = workerData as ThreadStart;
const view = new View(settings, systemFiles(await loadExtendedAttributes()), thread);

parentPort?.on('message', (jobs: readonly ViewJob[]) => {
  const answers = jobs.map((job): ThreadAnswer => {
    try {
      return { answer: runJob(view, job) };
    } catch (error) {
      return { error: ensureError(error).message };
    }
  });
  parentPort?.postMessage(answers);
});
