import type { ChildSpec } from './child-spec.ts';
import { launcherPath, NODE_FLAGS } from './launcher.ts';

/** The worker, as a separate process: the same command that runs against real services. */
export function workerSpec(env: Readonly<Record<string, string>>, log: string): ChildSpec {
  return {
    name: 'worker',
    command: process.execPath,
    args: [...NODE_FLAGS, launcherPath(), 'worker', '--config', env.ISTHMUS_CONFIG ?? ''],
    env,
    log,
    isReady: async () => (await fetch(`${env.ISTHMUS_METRICS_URL}/healthz`)).status === 200,
    readyWithinMs: 90_000,
    stopWithinMs: 25_000,
    failure: 'ISTHMUS_SOURCE_UNAVAILABLE',
  };
}
