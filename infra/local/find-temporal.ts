import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { IsthmusError } from '../../schema/errors.ts';
import { cachedTool, findOnPath, isExecutable, obtainTool, type ToolEnvironment } from './find-tool.ts';

const run = promisify(execFile);

/** The newest version that `go install` can build. */
const GO_PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const BUILD_WITHIN_MS = 20 * 60_000;

/** Where the Temporal CLI was found, or how it was had. */
export type TemporalOrigin = 'PATH' | 'cache' | 'download' | 'go';

export interface FoundTemporal {
  readonly path: string;
  readonly origin: TemporalOrigin;
}

export interface FindTemporalOptions {
  readonly env?: ToolEnvironment | undefined;
  /** Called before what takes long, with what is being done. */
  readonly onProgress?: ((doing: string) => void) | undefined;
  /** Puts the CLI into a folder and returns its path. @default the SDK's download */
  readonly download?: ((folder: string) => Promise<string>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The Temporal CLI, whose development server is a real server with its UI: from the PATH, else from the user's
 * cache folder, else downloaded by the SDK, else built with Go; the last two into the cache folder, so that it
 * happens once.
 *
 * @throws ISTHMUS_NO_TEMPORAL with what was tried and what to install.
 */
export async function findTemporal(options: FindTemporalOptions = {}): Promise<FoundTemporal> {
  const { env = process.env, onProgress = () => {}, signal } = options;
  const cached = cachedTool('temporal', env);
  const onPath = await findOnPath('temporal', env.PATH);
  if (onPath) return { path: onPath, origin: 'PATH' };
  if (await isExecutable(cached)) return { path: cached, origin: 'cache' };
  const tried = [`no \`temporal\` on the PATH (${env.PATH || 'empty'})`, `no ${cached}`];

  onProgress('downloading the Temporal CLI');
  const downloaded = await obtainTool(cached, options.download ?? downloadBySdk);
  if (downloaded === undefined) return { path: cached, origin: 'download' };
  tried.push(`download failed: ${downloaded}`);
  signal?.throwIfAborted();

  const go = await findOnPath('go', env.PATH);
  if (go) {
    onProgress('building the Temporal CLI with Go, which takes about three minutes');
    const built = await obtainTool(cached, (folder) => buildWithGo(go, folder, env, signal));
    if (built === undefined) return { path: cached, origin: 'go' };
    tried.push(`\`${go} install ${GO_PACKAGE}\` failed: ${built}`);
  } else tried.push('no Go to build it with');
  throw new IsthmusError(
    'ISTHMUS_NO_TEMPORAL',
    `There is no Temporal server to be had. Tried:\n${tried.map((line) => `  - ${line}`).join('\n')}\nInstall the Temporal CLI (https://docs.temporal.io/cli, a single file) so that \`temporal\` is on the PATH, or put it at ${cached}, or install Go and try again.`,
  );
}

/** How the CLI was had, for people. */
export function describeOrigin({ path: file, origin }: FoundTemporal): string {
  switch (origin) {
    case 'PATH':
      return `${file}, from the PATH`;
    case 'cache':
      return `${file}, from the cache`;
    case 'download':
      return `${file}, downloaded now`;
    case 'go':
      return `${file}, built now with Go`;
  }
}

/** The SDK downloads the CLI when it is to start a server; the server is stopped at once and the file kept. */
async function downloadBySdk(folder: string): Promise<string> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir: folder } },
  });
  await environment.teardown();
  const [file] = await readdir(folder);
  if (file === undefined) throw new Error('the SDK left no file');
  return path.join(folder, file);
}

async function buildWithGo(
  go: string,
  folder: string,
  env: ToolEnvironment,
  signal: AbortSignal | undefined,
): Promise<string> {
  await run(go, ['install', GO_PACKAGE], {
    env: { ...env, GOBIN: folder },
    timeout: BUILD_WITHIN_MS,
    maxBuffer: 64 * 1024 * 1024,
    ...(signal ? { signal } : {}),
  });
  return path.join(folder, 'temporal');
}
