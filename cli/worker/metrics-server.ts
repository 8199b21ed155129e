import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';

const DEFAULT_URL = 'http://127.0.0.1:9464';

/** Whether each thing that the worker needs works, in its own words. */
export type Health = Readonly<Record<string, 'ok' | 'waiting' | 'stopped'>>;

/**
 * Serves `/metrics` and `/healthz`. Health is 200 where all is ok, else 503 with what is not; it never looks at
 * the outside itself, so that a probe cannot hang.
 */
export async function serveMetrics(
  url: string | undefined,
  registry: Registry,
  health: () => Health,
): Promise<FastifyInstance> {
  const { hostname, port } = new URL(url ?? DEFAULT_URL);
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
  await server.listen({ host: hostname, port: Number(port || 80) });
  return server;
}
