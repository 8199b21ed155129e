import type { IncomingMessage } from 'node:http';
import type { Release } from '../locks.ts';
import { addressOf } from './address.ts';
import { batchAnswers, batchRequests } from './batch-parts.ts';
import type { Attempt, ChangeRecorder } from './change-recorder.ts';
import { type Exchange, giveUp, requestHeaders, withoutHops } from './forward.ts';
import { operationOf } from './operation.ts';
import type { Upstream } from './upstream.ts';

/** Looks at once, so that a batch of 256 deletes does not open as many connections. */
const LOOKS_AT_ONCE = 16;

/**
 * Passes a Blob Batch on, whole, and records each part that succeeded. A batch holds at most 256 requests and
 * 4 MiB, so it is read into memory; the bytes that go on are the client's.
 */
export async function forwardBatch(upstream: Upstream, recorder: ChangeRecorder, exchange: Exchange): Promise<void> {
  const { request, response, cutAfter } = exchange;
  let releases: Release[] = [];
  try {
    const body = await collect(request);
    const attempts = new Map<string, Attempt>();
    const operations = [];
    for (const part of batchRequests(request.headers['content-type'], body.toString())) {
      const operation = operationOf(part.method, addressOf(part.url, request.headers.host), part.headers);
      if (operation.kind !== 'change') continue;
      operations.push(operation);
      attempts.set(part.id, recorder.attempt(operation, part.headers));
    }
    releases = await recorder.lock(operations);
    await inGroups([...attempts.values()], (attempt) => attempt.before());
    const answer = await send(upstream, request, body);
    const answerBody = await collect(answer);
    for (const part of batchAnswers(answer.headers['content-type'], answerBody.toString())) {
      if (part.status >= 200 && part.status < 300) attempts.get(part.id)?.record(part.headers, 0);
    }
    for (const release of releases) release();
    if (cutAfter) request.socket.destroy();
    else response.writeHead(answer.statusCode ?? 502, withoutHops(answer.rawHeaders, true)).end(answerBody);
  } catch (error) {
    giveUp(exchange, error);
  } finally {
    for (const release of releases) release();
  }
}

function send(upstream: Upstream, request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sending = upstream.open('POST', request.url ?? '/', requestHeaders(request));
    sending.once('response', resolve).on('error', reject).end(body);
  });
}

export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += LOOKS_AT_ONCE) {
    await Promise.all(items.slice(at, at + LOOKS_AT_ONCE).map(work));
  }
}
