import type { TestProject } from 'vitest/node';
import { startTestPostgres } from './postgres-server.ts';

/** Starts what the whole run shares: one Postgres with a migrated template. Returns what stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres();
  project.provide('postgresUrl', server.url);
  return () => server.stop();
}
