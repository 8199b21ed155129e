import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ChildSpec } from './child-spec.ts';

export interface TemporalOptions {
  /** The Temporal CLI. */
  readonly binary: string;
  readonly port: number;
  readonly uiPort: number;
  /** Kept between runs. */
  readonly database: string;
  readonly log: string;
}

/** What the loops say of themselves, so that an operator can ask for them in the UI. */
const SEARCH_ATTRIBUTES = ['IsthmusFederation', 'IsthmusSource', 'IsthmusState'] as const;

/** The Temporal child of a stack: a real server with its UI, one namespace `default`, its state in one SQLite file. */
export async function temporalSpec(options: TemporalOptions): Promise<ChildSpec> {
  await mkdir(path.dirname(options.database), { recursive: true });
  return {
    name: 'temporal',
    command: options.binary,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'error'],
      ...['--port', String(options.port), '--ui-port', String(options.uiPort)],
      ...['--db-filename', options.database],
      ...SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    log: options.log,
    isReady: async () => {
      // The UI asks the server itself.
      const answer = await fetch(`http://127.0.0.1:${options.uiPort}/api/v1/namespaces/default`);
      return answer.ok && JSON.stringify(await answer.json()).includes('NAMESPACE_STATE_REGISTERED');
    },
    readyWithinMs: 60_000,
    failure: 'ISTHMUS_NO_TEMPORAL',
  };
}
