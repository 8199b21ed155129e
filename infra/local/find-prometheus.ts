import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { cachedTool, findOnPath, isExecutable, obtainTool, type ToolEnvironment } from './find-tool.ts';

const run = promisify(execFile);

const MODULE = 'github.com/prometheus/prometheus/cmd';
const VERSION = 'v0.315.0';
const BUILD_WITHIN_MS = 20 * 60_000;

type ToolName = 'promtool' | 'prometheus';

/** Where a tool of Prometheus is, or why there is none. */
export type FoundPrometheus =
  | { readonly path: string; readonly origin: 'PATH' | 'cache' | 'go' }
  | { readonly path: undefined; readonly tried: readonly string[] };

export interface FindPrometheusOptions {
  readonly env?: ToolEnvironment | undefined;
  /** Called before what takes long, with what is being done. */
  readonly onProgress?: ((doing: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Prometheus' own tool for its rules. Only tests need it, so that there is none is an answer and no error. */
export function findPromtool(options: FindPrometheusOptions = {}): Promise<FoundPrometheus> {
  return find('promtool', options);
}

/** Prometheus itself, without its pages: what it scrapes and which rules fire is asked by its API. */
export function findPrometheus(options: FindPrometheusOptions = {}): Promise<FoundPrometheus> {
  return find('prometheus', options);
}

/** From the PATH, else from the user's cache folder, else built with Go into that folder, once. */
async function find(name: ToolName, options: FindPrometheusOptions): Promise<FoundPrometheus> {
  const { env = process.env, onProgress = () => {}, signal } = options;
  const onPath = await findOnPath(name, env.PATH);
  if (onPath !== undefined) return { path: onPath, origin: 'PATH' };
  const cached = cachedTool(name, env);
  if (await isExecutable(cached)) return { path: cached, origin: 'cache' };
  const tried = [`no \`${name}\` on the PATH (${env.PATH || 'empty'})`, `no ${cached}`];

  const go = await findOnPath('go', env.PATH);
  if (go === undefined) return { path: undefined, tried: [...tried, 'no Go to build it with'] };
  onProgress(`building ${name} with Go, which takes three minutes or so`);
  const failed = await obtainTool(cached, (folder) => build(go, name, folder, env, signal));
  if (failed === undefined) return { path: cached, origin: 'go' };
  return { path: undefined, tried: [...tried, `building ${MODULE}/${name}@${VERSION} failed: ${failed}`] };
}

/** From a module that names it as a tool: `go install` refuses it, as Prometheus replaces modules of its own. */
async function build(
  go: string,
  name: ToolName,
  folder: string,
  env: ToolEnvironment,
  signal: AbortSignal | undefined,
): Promise<string> {
  const file = path.join(folder, name);
  const steps = [
    ['mod', 'init', `isthmus.local/${name}`],
    ['get', '-tool', `${MODULE}/${name}@${VERSION}`],
    ['build', '-o', file, `${MODULE}/${name}`],
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
