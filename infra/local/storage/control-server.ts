import { type FastifyInstance, fastify } from 'fastify';
import { z } from 'zod';
import {
  deleteDirectoryBodySchema,
  inventoryBodySchema,
  renameDirectoryBodySchema,
  replayBodySchema,
  type StorageState,
} from './control-api.ts';
import type { TriggerPump } from './events/trigger-pump.ts';
import type { FaultSwitches } from './faults.ts';
import type { FeedWriter } from './feed/feed-writer.ts';
import type { Directories } from './front/directories.ts';
import type { Inventory } from './inventory/inventory.ts';
import { portInUse } from './taken-port.ts';

export interface ControlParts {
  readonly faults: FaultSwitches;
  /** Undefined for an account that has none: one with a hierarchical namespace. */
  readonly feed: FeedWriter | undefined;
  /** Undefined for an account without a hierarchical namespace, which has no directories. */
  readonly directories: Directories | undefined;
  readonly triggers: TriggerPump;
  readonly inventory: Inventory;
  readonly state: () => StorageState;
}

/** Serves the control API on a local port. Throws `ISTHMUS_PORT_IN_USE`. */
export async function startControlServer(
  port: number,
  parts: ControlParts,
): Promise<{ url: string; server: FastifyInstance }> {
  const { faults, feed, triggers, inventory, directories } = parts;
  const server = fastify();
  // A command without a body may still name its type.
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch (error) {
      done(Object.assign(error instanceof Error ? error : new Error(String(error)), { statusCode: 400 }));
    }
  });
  server.setErrorHandler((error, _request, reply) => {
    const wrong = error instanceof z.ZodError;
    const message = wrong ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
    const given = (error as { statusCode?: number }).statusCode;
    return reply.code(wrong ? 400 : (given ?? 500)).send({ error: message });
  });
  server.get('/state', () => parts.state());
  server.get('/faults', () => faults.current);
  server.put('/faults', (request) => faults.merge(request.body ?? {}));
  server.delete('/faults', () => faults.clear());
  server.post('/feed/flush', async () => {
    await feed?.flush();
    return { pendingFeedRecords: feed?.pending ?? 0 };
  });
  server.post('/inventory/run', async (request) => {
    const { manifest, status } = await inventory.run(defined(inventoryBodySchema.parse(request.body ?? {})));
    return { manifest, status };
  });
  server.post('/triggers/replay', async (request) => {
    const { times } = replayBodySchema.parse(request.body ?? {});
    return { events: await triggers.replay(times) };
  });
  server.post('/directories/rename', async (request) => {
    const { from, to } = renameDirectoryBodySchema.parse(request.body ?? {});
    return { blobs: await hierarchical(directories).rename(from, to) };
  });
  server.post('/directories/delete', async (request) => {
    const { directory, recursive } = deleteDirectoryBodySchema.parse(request.body ?? {});
    return { blobs: await hierarchical(directories).delete(directory, recursive) };
  });
  try {
    return { url: await server.listen({ port, host: '127.0.0.1' }), server };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw portInUse(port, 'the control API', error);
  }
}

function hierarchical(directories: Directories | undefined): Directories {
  if (directories !== undefined) return directories;
  const message = 'this account has no hierarchical namespace, and so no directories: start it with --hierarchical';
  throw Object.assign(new Error(message), { statusCode: 409 });
}

/** Without the keys that are there and undefined: they would hide defaults. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
