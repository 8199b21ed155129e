import { readFile, rename, writeFile } from 'node:fs/promises';

/** What no shell takes for anything but itself. */
const PLAIN = /^[\w./:@%+,=-]*$/;

/**
 * Writes `KEY=value` lines that a shell can source and a dotenv reader reads: a value is as it is, or, where a shell would
 * take something in it for its own, in single quotes. Readable by its owner alone, and never half-written.
 */
export async function writeEnvFile(file: string, env: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(env).map(([key, value]) => `${key}=${shellWord(value)}\n`);
  await writeFile(`${file}.new`, lines.join(''), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** @returns undefined where there is no such file. */
export async function readEnvFile(file: string): Promise<Record<string, string> | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), unquoted(line.slice(at + 1))]] : [];
  });
  return Object.fromEntries(pairs);
}

/**
 * A value as a shell reads it. A quote ends the quotes, stands escaped, and begins them again: only a shell knows that,
 * and no other way has both.
 */
export function shellWord(value: string): string {
  return PLAIN.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

function unquoted(text: string): string {
  return /^'.*'$/.test(text) ? text.slice(1, -1).replaceAll(`'\\''`, "'") : text;
}
