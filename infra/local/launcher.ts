import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * What Node is told where `isthmus` runs, as the command's own first line tells it. Node's young generation may else take
 * 128 MiB of memory: the tail of 2 M records held 404 MiB at most instead of 475 to 490, at the same speed.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=16'];

/** The `isthmus` command's own file: beside the sources in a checkout, above `dist/` where Isthmus is installed. */
export function launcherPath(): string {
  const beside = fileURLToPath(new URL('../../cli/isthmus.mjs', import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL('../../../cli/isthmus.mjs', import.meta.url));
}
