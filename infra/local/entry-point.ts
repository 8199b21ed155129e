import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The file of an entry point that a child process runs: TypeScript in a checkout, JavaScript where Isthmus is
 * installed.
 *
 * @param name beside the caller, without its extension.
 * @param importer the caller's `import.meta.url`.
 */
export function entryPoint(name: string, importer: string): string {
  const caller = fileURLToPath(importer);
  return path.resolve(path.dirname(caller), `${name}${path.extname(caller)}`);
}
