import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { cachedTool, findOnPath, isExecutable, obtainTool, type ToolEnvironment } from './find-tool.ts';

const run = promisify(execFile);

const PACKAGE = 'github.com/prometheus/prometheus/cmd/promtool';
const VERSION = 'v0.315.0';
const BUILD_WITHIN_MS = 20 * 60_000;

/** Where promtool is, or why there is none. */
export type FoundPromtool =
  | { readonly path: string; readonly origin: 'PATH' | 'cache' | 'go' }
  | { readonly path: undefined; readonly tried: readonly string[] };

export interface FindPromtoolOptions {
  readonly env?: ToolEnvironment | undefined;
  /** Called before what takes long, with what is being done. */
  readonly onProgress?: ((doing: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Prometheus' own tool for its rules: from the PATH, else from the user's cache folder, else built with Go into that
 * folder, once. Only tests need it, so that there is none is an answer and no error.
 */
export async function findPromtool(options: FindPromtoolOptions = {}): Promise<FoundPromtool> {
  const { env = process.env, onProgress = () => {}, signal } = options;
  const onPath = await findOnPath('promtool', env.PATH);
  if (onPath !== undefined) return { path: onPath, origin: 'PATH' };
  const cached = cachedTool('promtool', env);
  if (await isExecutable(cached)) return { path: cached, origin: 'cache' };
  const tried = [`no \`promtool\` on the PATH (${env.PATH || 'empty'})`, `no ${cached}`];

  const go = await findOnPath('go', env.PATH);
  if (go === undefined) return { path: undefined, tried: [...tried, 'no Go to build it with'] };
  onProgress('building promtool with Go, which takes three minutes or so');
  const failed = await obtainTool(cached, (folder) => build(go, folder, env, signal));
  if (failed === undefined) return { path: cached, origin: 'go' };
  return { path: undefined, tried: [...tried, `building ${PACKAGE}@${VERSION} failed: ${failed}`] };
}

/** From a module that names it as a tool: `go install` refuses it, as Prometheus replaces modules of its own. */
async function build(
  go: string,
  folder: string,
  env: ToolEnvironment,
  signal: AbortSignal | undefined,
): Promise<string> {
  const file = path.join(folder, 'promtool');
  const steps = [
    ['mod', 'init', 'isthmus.local/promtool'],
    ['get', '-tool', `${PACKAGE}@${VERSION}`],
    ['build', '-o', file, PACKAGE],
  ];
  for (const step of steps) {
    await run(go, step, {
      cwd: folder,
      env: { ...env },
      timeout: BUILD_WITHIN_MS,
      maxBuffer: 64 * 1024 * 1024,
      ...(signal ? { signal } : {}),
    });
  }
  return file;
}
