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
export async function readFederation(
  config: string | undefined,
  env: Environment,
  cwd = process.cwd(),
): Promise<Federation> {
  const path = config ?? env.ISTHMUS_CONFIG;
  if (path === undefined || path === '') throw await noneNamed(cwd);
  return await loadFederation(path, env);
}

async function noneNamed(cwd: string): Promise<IsthmusError> {
  const { findState, STATE_FOLDER } = await import('../infra/local/find-stack.ts');
  const folder = await findState(cwd);
  const name = 'pass --config federation.yaml, or set ISTHMUS_CONFIG';
  const text =
    folder === undefined
      ? `No federation is named and no \`isthmus dev\` runs here. Start one, ${name}.`
      : `No federation is named, and the \`isthmus dev\` of ${folder} is not running, or not ready yet: its state is in ` +
        `${STATE_FOLDER}/ there. Start it there again with \`isthmus dev\`, or ${name}.`;
  return new IsthmusError('ISTHMUS_USAGE', text);
}

/** @throws IsthmusError `ISTHMUS_USAGE` where no Postgres is named, or by what is no URL of one; its text holds no part of the URL. */
export function indexUrl(federation: Pick<Federation, 'name' | 'index'>, env: Environment): string {
  const url = env.DATABASE_URL || federation.index?.url;
  if (url === undefined || url === '') {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      `No Postgres is named for federation ${federation.name}. Set DATABASE_URL, or index.url in its file.`,
    );
  }
  if (!namesPostgres(url)) {
    const named = env.DATABASE_URL ? 'DATABASE_URL' : `index.url of federation ${federation.name}`;
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      `${named} is no URL of a Postgres: write postgres://USER:PASSWORD@HOST:5432/DATABASE, with %XX for what is neither ` +
        'letter nor digit in user and password (%2F is a slash).',
    );
  }
  return url;
}

/** The client would take whatever else it is given for the name of a database on a host of its own invention. */
function namesPostgres(text: string): boolean {
  // The folder of a socket.
  if (/^(socket:|\/)/.test(text)) return true;
  if (!/^postgres(ql)?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { host, pathname, searchParams } = new URL(text);
  return host !== '' || pathname.length > 1 || searchParams.has('host');
}
