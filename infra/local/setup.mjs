// Installs what is missing, on any Node from 18; silent when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** When npm last finished an installation here; 0 where it never did. */
function installedAt() {
  return statSync(`${root}node_modules/.package-lock.json`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (statSync(`${root}package-lock.json`).mtimeMs > installedAt()) {
  const packages = Object.keys(JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')).packages).length;
  process.stderr.write(`Installing about ${packages} packages, which takes a minute or so...\n`);
  const began = Date.now();
  const npm = spawnSync('npm', ['ci', '--loglevel=error'], {
    cwd: root,
    // Answers on standard output belong to the command that follows.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    process.stderr.write(`npm ci failed${npm.error ? `: ${npm.error.message}` : ''}.\n`);
    process.exit(npm.status ?? 3);
  }
  process.stderr.write(`Installed in ${Math.round((Date.now() - began) / 1000)} s.\n`);
}
