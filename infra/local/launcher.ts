import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The `isthmus` command's own file: beside the sources in a checkout, above `dist/` where Isthmus is installed. */
export function launcherPath(): string {
  const beside = fileURLToPath(new URL('../../cli/isthmus.mjs', import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL('../../../cli/isthmus.mjs', import.meta.url));
}
