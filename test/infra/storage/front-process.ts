/** A storage front in a process of its own, for tests that kill it. Prints its connection string, then each event's id. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type StorageOptions, startStorage } from '../../../infra/local/storage/start-storage.ts';

const options = JSON.parse(process.argv[2] ?? '') as Pick<StorageOptions, 'azuritePort' | 'location' | 'stateDir'>;
const storage = await startStorage({
  ...options,
  port: 0,
  controlPort: 0,
  feed: { segmentMs: 3_600_000, flushMs: 100 },
  clock: { now: Date.now, sleep: (ms, signal) => sleep(ms, undefined, { signal }) },
  publish: async ({ id }) => void process.stdout.write(`${id}\n`),
});
process.stdout.write(`${storage.connectionString}\n`);
