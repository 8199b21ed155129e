import { once } from 'node:events';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { answerError, SERVER_BUSY } from './azure-error.ts';
import type { Gate } from './change-recorder.ts';
import type { Upstream } from './upstream.ts';

/** One request of a client and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Cut the connection once Azurite has answered: a change is then made that its client never hears of. */
  readonly cutAfter: boolean;
  /** Said in place of what Azurite says in headers of these names, which are in lower case. */
  readonly instead?: Readonly<Record<string, string>> | undefined;
}

/** About the connection and not the message; each side has its own. `expect` has been answered by the front. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'expect']);

/**
 * Passes a request on and its answer back, byte for byte, bodies streamed. The gate is entered before the last
 * piece of the body is sent, so a slow upload holds no lock. A client that goes away after that does not stop
 * the request: what Azurite applied is recorded.
 */
export async function forward(upstream: Upstream, exchange: Exchange, gate?: Gate): Promise<void> {
  const { request, response } = exchange;
  const sending = upstream.open(request.method ?? 'GET', request.url ?? '/', requestHeaders(request));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sending.once('response', resolve).on('error', reject);
  });
  // Awaited below; an error that comes while the body is still being sent is found there.
  answered.catch(() => undefined);
  try {
    const sent = await sendBody(request, sending, gate);
    if ('refused' in sent) {
      sending.destroy();
      answerError(request.method ?? 'GET', response, sent.refused);
      return;
    }
    const answer = await answered;
    await gate?.settle(answer.statusCode ?? 0, answer.headers, sent.bytes);
    // A client that reads slowly holds no lock.
    gate?.leave();
    await passBack(exchange, answer);
  } catch (error) {
    sending.destroy();
    giveUp(exchange, error);
  } finally {
    gate?.leave();
  }
}

type Sent = { readonly bytes: number } | { readonly refused: Parameters<typeof answerError>[2] };

async function sendBody(request: IncomingMessage, sending: ClientRequest, gate: Gate | undefined): Promise<Sent> {
  let held: Buffer | undefined;
  let bytes = 0;
  if (hasBody(request)) {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (held !== undefined && !sending.write(held)) await drained(sending);
      held = chunk;
      bytes += chunk.length;
    }
  }
  const refused = await gate?.enter();
  if (refused !== undefined) return { refused };
  sending.end(held);
  return { bytes };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** A connection that has closed will never drain; its error shows when the answer is awaited. */
async function drained(sending: ClientRequest): Promise<void> {
  if (sending.destroyed) return;
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(sending, 'drain', { signal }), once(sending, 'close', { signal })]);
  stop.abort();
}

async function passBack(
  { request, response, cutAfter, instead = {} }: Exchange,
  answer: IncomingMessage,
): Promise<void> {
  if (response.destroyed || (cutAfter && request.method !== 'GET')) {
    answer.resume();
    request.socket.destroy();
    return;
  }
  const headers = withoutHops(answer.rawHeaders, true);
  for (let at = 0; at + 1 < headers.length; at += 2) {
    headers[at + 1] = instead[headers[at]?.toLowerCase() ?? ''] ?? headers[at + 1] ?? '';
  }
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  if (cutAfter) await cutAmid(response, answer);
  else await passBody(response, answer);
}

/** As `pipeline` does, without its abort controller, which took 2 % of the time of a small put. */
function passBody(response: ServerResponse, answer: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    answer.pipe(response);
    answer.once('close', () => {
      if (!answer.complete) response.destroy();
    });
    answer.once('error', () => response.destroy());
    response.once('close', () => {
      if (!answer.complete) answer.destroy();
      resolve();
    });
  });
}

/** Sends half of the first piece, then ends the connection. */
async function cutAmid(response: ServerResponse, answer: IncomingMessage): Promise<void> {
  for await (const piece of answer as AsyncIterable<Buffer>) {
    response.write(piece.subarray(0, Math.ceil(piece.length / 2)));
    break;
  }
  response.destroy();
}

/** An answer of which nothing has left yet becomes a 503, which every client tries again; else the connection ends. */
export function giveUp({ request, response }: Exchange, error: unknown): void {
  if (response.headersSent || request.socket.destroyed)
    request.socket.destroy(error instanceof Error ? error : undefined);
  else {
    request.resume();
    answerError(request.method ?? 'GET', response, SERVER_BUSY);
  }
}

/** The client's headers for Azurite. A PUT or POST without a length has no body, which must be said. */
export function requestHeaders(request: IncomingMessage): string[] {
  const headers = withoutHops(request.rawHeaders, false);
  const bodiless =
    request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined;
  return bodiless && (request.method === 'PUT' || request.method === 'POST')
    ? [...headers, 'Content-Length', '0']
    : headers;
}

/** Pairs in one list, without what belongs to the connection. An answer is chunked anew where it has no length. */
export function withoutHops(raw: readonly string[], isAnswer: boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || (isAnswer && lower === 'transfer-encoding')) continue;
    kept.push(name, raw[at + 1] ?? '');
  }
  return kept;
}
