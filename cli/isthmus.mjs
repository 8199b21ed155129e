#!/usr/bin/env -S node --max-semi-space-size=16
// Starts `isthmus` on a Node that can run it: plain JavaScript, so that any Node reaches the first line.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const LEAST = 24;
const here = path.dirname(fileURLToPath(import.meta.url));

/** The Node that npm installed with this package, or with the package that depends on it. */
function installedNode() {
  for (let folder = here; ; folder = path.dirname(folder)) {
    const node = path.join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
    if (existsSync(node)) return node;
    if (path.dirname(folder) === folder) return undefined;
  }
}

function runOn(node) {
  const argv = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(node, argv, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`isthmus: ${node} cannot be started: ${error.message}\n`);
    process.exitCode = 3;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code ?? 3;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

if (Number(process.versions.node.split('.')[0]) >= LEAST) {
  nodeModule.enableCompileCache?.();
  // A checkout runs its TypeScript; an installed package has none, and runs what was built from it.
  const source = path.join(here, 'main.ts');
  const { main } = await import(existsSync(source) ? './main.ts' : '../dist/cli/main.js');
  await main(process.argv.slice(2));
} else {
  const node = process.env.ISTHMUS_LAUNCHED === undefined ? installedNode() : undefined;
  if (node === undefined) {
    const have = `this is Node ${process.versions.node}`;
    process.stderr.write(
      `isthmus needs Node ${LEAST} or later; ${have}. Run \`npm run setup\` in the checkout, or install Node.\n`,
    );
    process.exitCode = 3;
  } else {
    process.env.ISTHMUS_LAUNCHED = '1';
    runOn(node);
  }
}
