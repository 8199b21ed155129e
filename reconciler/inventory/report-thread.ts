import { parentPort } from 'node:worker_threads';
import { assert, messageOf } from '../../schema/errors.ts';
import { encodeFile } from './encode-file.ts';
import type { FileJob, FileRead, ReportHost } from './report-host.ts';

/** A thread that reads files of reports, one after the other, each as one `FileJob` says. */
export type ThreadMessage =
  | { readonly ask: number; readonly what: Question }
  | { readonly done: FileRead }
  | { readonly failed: string };

export type Question =
  | { readonly read: { readonly offset: number; readonly length: number } }
  | { readonly containers: readonly string[] }
  | { readonly stage: Uint8Array<ArrayBuffer> };

/** What a thread is told: its next file, and the answers to what it asked. */
export type ThreadOrder = { readonly job: FileJob } | { readonly answer: number; readonly value: unknown };

const port = parentPort;
assert(port !== null, 'this is no thread');
const waiting = new Map<number, (value: never) => void>();
let asked = 0;

function ask<T>(what: Question, transfer: readonly ArrayBuffer[] = []): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const id = asked++;
  waiting.set(id, resolve as (value: never) => void);
  say({ ask: id, what }, transfer);
  return promise;
}

function say(message: ThreadMessage, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, [...transfer]);
}

const host: ReportHost = {
  read: (offset, length) => ask({ read: { offset, length } }),
  containers: (names) => ask({ containers: names }),
  stage: (lines) => ask({ stage: lines }, [lines.buffer]),
};

port.on('message', (order: ThreadOrder) => {
  if ('job' in order) {
    encodeFile(order.job, host).then(
      (done) => say({ done }),
      (error: unknown) => say({ failed: messageOf(error) }),
    );
    return;
  }
  waiting.get(order.answer)?.(order.value as never);
  waiting.delete(order.answer);
});
