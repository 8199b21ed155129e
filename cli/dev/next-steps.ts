import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { shellWord } from '../../infra/local/env-file.ts';
import { findStack } from '../../infra/local/find-stack.ts';
import { printable } from '../terminal.ts';

/** A stack that runs, and how it was started. */
export interface Started {
  readonly env: Readonly<Record<string, string>>;
  /** A file with `env`, for a shell to source. */
  readonly envFile: string;
  /** The shell's working directory. */
  readonly cwd: string;
  readonly argv: readonly string[];
  /** Whether npm runs this, as `npx isthmus` does. */
  readonly npm: boolean;
}

/** What to type next, so that it works copied into another shell in the folder where the stack was started. */
export async function nextSteps({ env, envFile, cwd, argv, npm }: Started): Promise<readonly string[]> {
  const status = `${calledAs(argv, npm)} status`;
  // Kept elsewhere, or beside one that is nearer.
  const found = isDeepStrictEqual(await findStack(cwd), env);
  const lines = found
    ? [`Commands run in this folder find it by themselves, such as \`${status}\`. Ctrl-C stops everything.`]
    : [
        'Commands find it in a shell that has its endpoints:',
        `  set -a; . ${shellWord(envFile)}; set +a`,
        `  ${status}`,
        'Ctrl-C stops everything.',
      ];
  return lines.map(printable);
}

/** As it was started: by npx, from the PATH, or as a file that Node was given. */
function calledAs([, script = '']: readonly string[], npm: boolean): string {
  if (npm) return 'npx isthmus';
  return path.basename(script) === 'isthmus' ? 'isthmus' : `node ${shellWord(script)}`;
}
