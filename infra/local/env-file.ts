import { readFile, rename, writeFile } from 'node:fs/promises';

/** Writes `KEY=value` lines, values as they are. Readable by its owner alone, and never half-written. */
export async function writeEnvFile(file: string, env: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(env).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(`${file}.new`, lines.join(''), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** @returns undefined where there is no such file. */
export async function readEnvFile(file: string): Promise<Record<string, string> | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
  });
  return Object.fromEntries(pairs);
}
