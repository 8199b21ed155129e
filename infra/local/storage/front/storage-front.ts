import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FEED_CONTAINER } from '../account.ts';
import type { FaultSwitches, HttpFault } from '../faults.ts';
import { portInUse } from '../taken-port.ts';
import { addressOf } from './address.ts';
import {
  type AzureError,
  answerError,
  CONDITION_NOT_MET,
  NO_PERMISSION,
  SERVER_BUSY,
  TOO_MANY_REQUESTS,
} from './azure-error.ts';
import type { ChangeRecorder } from './change-recorder.ts';
import { type Exchange, forward, giveUp } from './forward.ts';
import { forwardBatch } from './forward-batch.ts';
import { listContainers } from './list-containers.ts';
import { operationOf } from './operation.ts';
import type { Upstream } from './upstream.ts';

/** Metadata may take 8 KiB and names 3 KiB as percent-encoded text; Node's own limit for all headers is 16 KiB. */
export const MAX_HEADER_BYTES = 65_536;

const ERROR_OF_FAULT: Readonly<Partial<Record<HttpFault, AzureError>>> = {
  throttled: TOO_MANY_REQUESTS,
  busy: SERVER_BUSY,
  condition: CONDITION_NOT_MET,
};

const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;

/**
 * The account's endpoint: every request goes to Azurite unchanged, and every change that succeeds is recorded
 * before its client hears of it.
 */
export class StorageFront {
  readonly #upstream: Upstream;
  readonly #recorder: ChangeRecorder;
  readonly #faults: FaultSwitches;
  readonly #instead: Exchange['instead'];
  readonly #servers: Server[] = [];

  constructor(parts: { upstream: Upstream; recorder: ChangeRecorder; faults: FaultSwitches; hierarchical: boolean }) {
    // Azurite has no such account, and says so of each.
    this.#instead = parts.hierarchical ? { 'x-ms-is-hns-enabled': 'true' } : undefined;
    this.#upstream = parts.upstream;
    this.#recorder = parts.recorder;
    this.#faults = parts.faults;
  }

  /**
   * Listens on a local port, 0 for any; `faulty` says whether the fault switches hold there.
   *
   * @returns the port. Throws `ISTHMUS_PORT_IN_USE`.
   */
  async listen(port: number, faulty: boolean): Promise<number> {
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#handle(request, response, faulty);
    };
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 120_000, requestTimeout: 0 });
    server.on('request', handle);
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      response.writeContinue();
      handle(request, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'EADDRINUSE' ? portInUse(port, 'Blob Storage', error) : error),
      );
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Refuses new connections, ends idle ones, and waits a moment for requests that are under way. */
  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(async (server) => {
        const closed = new Promise((resolve) => server.close(resolve));
        const late = setTimeout(() => server.closeAllConnections(), 2_000);
        server.closeIdleConnections();
        await closed;
        clearTimeout(late);
      }),
    );
    this.#upstream.close();
  }

  async #handle(request: IncomingMessage, response: ServerResponse, faulty: boolean): Promise<void> {
    if (faulty && this.#failsFeed(request, response)) return;
    const conditional = CONDITIONS.some((name) => request.headers[name] !== undefined);
    const fault = faulty ? this.#faults.http(conditional) : 'none';
    const error = ERROR_OF_FAULT[fault];
    if (error !== undefined) {
      request.resume();
      answerError(request.method ?? 'GET', response, error);
    } else if (fault === 'cut-before') request.socket.destroy();
    else await this.#serve({ request, response, cutAfter: fault === 'cut-after', instead: this.#instead });
  }

  /** @returns whether the request was for the feed and is dealt with: refused, or left without an answer. */
  #failsFeed(request: IncomingMessage, response: ServerResponse): boolean {
    const { refuse, stall } = this.#faults.current.feed;
    if (!refuse && !stall) return false;
    if (addressOf(request.url ?? '/', request.headers.host)?.container !== FEED_CONTAINER) return false;
    request.resume();
    if (!stall) answerError(request.method ?? 'GET', response, NO_PERMISSION);
    return true;
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    const address = addressOf(request.url ?? '/', request.headers.host);
    const operation = operationOf(request.method ?? 'GET', address, request.headers);
    try {
      switch (operation.kind) {
        case 'batch':
          return await forwardBatch(this.#upstream, this.#recorder, exchange);
        case 'list-containers':
          return await listContainers(this.#upstream, exchange);
        case 'create-container':
        case 'delete-container': {
          if (operation.container === FEED_CONTAINER) return await forward(this.#upstream, exchange);
          const gate = this.#recorder.containerGate(operation.kind, operation.container);
          return await forward(this.#upstream, exchange, gate);
        }
        case 'change':
          return await forward(this.#upstream, exchange, this.#recorder.blobGate(operation, request.headers));
        case 'pass':
          return await forward(this.#upstream, exchange);
      }
    } catch (error) {
      giveUp(exchange, error);
    }
  }
}
