import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { Logger } from 'pino';
import { temporalLogger } from './temporal-runtime.ts';

/** What the bundle is made of: workflows, and what they may import. */
const FOLDERS = ['workflows', 'schema/inputs', 'namespace'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The workflow bundle. Bundling takes seconds, and a worker that was killed must be back at once: a bundle is
 * kept in the user's cache folder under the hash of its sources.
 */
export async function workflowBundle(log: Logger): Promise<{ readonly codePath: string } | { readonly code: string }> {
  const entry = path.join(ROOT, 'workflows', `workflows${path.extname(fileURLToPath(import.meta.url))}`);
  const folder = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'isthmus', 'workflow-bundles');
  const codePath = path.join(folder, `${await hashSources()}.js`);
  if (existsSync(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger: temporalLogger(log, 'WARN') });
  try {
    await mkdir(folder, { recursive: true });
    const temporary = `${codePath}.${process.pid}`;
    await writeFile(temporary, code);
    await rename(temporary, codePath);
  } catch (error) {
    log.debug({ err: error }, 'The workflow bundle cannot be kept; it is made again at the next start.');
  }
  return { code };
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  const version = await readFile(fileURLToPath(import.meta.resolve('@temporalio/workflow/package.json')), 'utf8');
  hash.update(version);
  for (const folder of FOLDERS) {
    const names = await readdir(path.join(ROOT, folder));
    for (const name of names.sort()) {
      hash.update(`\0${folder}/${name}\0`).update(await readFile(path.join(ROOT, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 32);
}
