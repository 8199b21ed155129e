import { IsthmusError } from '../schema/errors.ts';
import type { Federation } from '../schema/federation/federation.ts';
import { loadFederation } from '../schema/federation/load-federation.ts';

/** Environment variables, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The process's environment over that of the stack that `isthmus dev` runs here or above, if any: real variables win. */
export async function readEnvironment(cwd: string, real: Environment): Promise<Environment> {
  const { findStack } = await import('../infra/local/find-stack.ts');
  const stack = await findStack(cwd);
  return { ...stack, ...Object.fromEntries(Object.entries(real).filter(([, value]) => value !== undefined)) };
}

/** @throws IsthmusError `ISTHMUS_USAGE` where no file is named, `ISTHMUS_CONFIG` where it cannot be used. */
export async function readFederation(config: string | undefined, env: Environment): Promise<Federation> {
  const path = config ?? env.ISTHMUS_CONFIG;
  if (path === undefined || path === '') {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      'No federation is named and no `isthmus dev` runs here. Pass --config federation.yaml, or set ISTHMUS_CONFIG.',
    );
  }
  return await loadFederation(path, env);
}

/** @throws IsthmusError `ISTHMUS_USAGE` where no Postgres is named. */
export function indexUrl(federation: Federation, env: Environment): string {
  const url = env.DATABASE_URL || federation.index?.url;
  if (url === undefined || url === '') {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      `No Postgres is named for federation ${federation.name}. Set DATABASE_URL, or index.url in its file.`,
    );
  }
  return url;
}
