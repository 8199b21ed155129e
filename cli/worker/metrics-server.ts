import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import { IsthmusError } from '../../schema/errors.ts';
import { codeOf } from '../failure.ts';

const DEFAULT_URL = 'http://127.0.0.1:9464';

/** Whether each thing that the worker needs works, in its own words. */
export type Health = Readonly<Record<string, 'ok' | 'waiting' | 'stopped'>>;

/**
 * Serves `/metrics` and `/healthz`. Health is 200 where all is ok, else 503 with what is not; it never looks at
 * the outside itself, so that a probe cannot hang.
 *
 * @throws IsthmusError `ISTHMUS_USAGE` where the address is none; `ISTHMUS_PORT_IN_USE`, as two workers on one machine are
 * told apart by their ports alone: one that waited for its port would take no part and look as if it did.
 */
export async function serveMetrics(
  url: string | undefined,
  registry: Registry,
  health: () => Health,
): Promise<FastifyInstance> {
  const { hostname, port } = addressOf(url || DEFAULT_URL);
  const server = fastify({ logger: false });
  server.get('/metrics', async (_, reply) => {
    reply.header('content-type', registry.contentType);
    return await registry.metrics();
  });
  server.get('/healthz', async (_, reply) => {
    const parts = health();
    reply.code(Object.values(parts).every((part) => part === 'ok') ? 200 : 503);
    return parts;
  });
  try {
    await server.listen({ host: hostname, port: Number(port || 80) });
  } catch (cause) {
    if (codeOf(cause) !== 'EADDRINUSE') throw cause;
    throw new IsthmusError(
      'ISTHMUS_PORT_IN_USE',
      `The metrics of this worker are to be at ${hostname}:${port || 80}, where something listens already, such as another ` +
        `worker. End that, or give this one a port of its own: ISTHMUS_METRICS_URL=http://${hostname}:PORT`,
      { cause },
    );
  }
  return server;
}

function addressOf(url: string): URL {
  if (/^http:\/\/./i.test(url) && URL.canParse(url)) return new URL(url);
  throw new IsthmusError(
    'ISTHMUS_USAGE',
    `ISTHMUS_METRICS_URL is no address to serve metrics at: ${url}. Write http://HOST:PORT, such as ${DEFAULT_URL}.`,
  );
}
