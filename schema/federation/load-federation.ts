import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ensureError, IsthmusError } from '../errors.ts';
import type { Federation } from './federation.ts';
import { parseFederation } from './parse-federation.ts';

/**
 * Reads `federation.yaml`. Relative roots of sinks start at the file's folder.
 *
 * @throws IsthmusError `ISTHMUS_CONFIG` where the file cannot be read or does not hold what it must; the
 * message names the file and, for every problem, line, column, value and what was expected.
 */
export async function loadFederation(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Federation> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const { message } = ensureError(cause);
    throw new IsthmusError(
      'ISTHMUS_CONFIG',
      `${path} cannot be read: ${message}. Name the file with --config or ISTHMUS_CONFIG.`,
      { cause },
    );
  }
  const federation = parseFederation(text, env, path);
  const base = dirname(resolve(path));
  const sinks = Object.fromEntries(
    Object.entries(federation.sinks).map(([name, sink]) => [name, { ...sink, root: resolve(base, sink.root) }]),
  );
  return { ...federation, sinks };
}
