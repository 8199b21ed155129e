import { readFileSync } from 'node:fs';

/** From the package: beside `cli/`, or above `dist/cli/`. */
export function versionOf(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {}
  }
  return 'unknown';
}
