import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../infra/local/launcher.ts';

/** A part of the benchmark in a process of its own, so that its memory and its processor time are its alone. */
interface Part {
  readonly child: ChildProcess;
  /** The next line of its output, as JSON. Throws where it ends without one. */
  next<Said>(): Promise<Said>;
  /** Tells it something more: see `told`. */
  tell(value: object): void;
}

/** A part that was started, with what it said first. */
export type RunningPart<Said> = Said & AsyncDisposable & Pick<Part, 'next' | 'tell'>;

/** Starts `NAME.process.ts`, NAME a path in this folder, with one JSON argument. Its standard error is ours. */
function start(name: string, argument: object, signal?: AbortSignal): Part {
  const file = fileURLToPath(new URL(`${name}.process.ts`, import.meta.url));
  const argv = [...NODE_FLAGS, file, JSON.stringify(argument)];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  signal?.addEventListener('abort', () => child.kill(), { once: true });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async next<Said>() {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${name} ended without a word`);
      return JSON.parse(line.value) as Said;
    },
    tell: (value) => void child.stdin.write(`${JSON.stringify(value)}\n`),
  };
}

/** Runs a part to its end, or until the signal ends it. @returns what it said. */
export async function runPart<Said>(name: string, argument: object, signal?: AbortSignal): Promise<Said> {
  const { child, next } = start(name, argument, signal);
  const exit = once(child, 'exit');
  const result = await next<Said>();
  await exit;
  return result;
}

/** Starts a part that runs until it is disposed of. */
export async function startPart<Said>(name: string, argument: object): Promise<RunningPart<Said>> {
  const { child, next, tell } = start(name, argument);
  const exit = once(child, 'exit');
  const said = await next<Said>();
  return {
    ...said,
    next,
    tell,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await exit;
    },
  };
}

/** What a part says: one line of JSON. */
export function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** What this part is told while it runs. */
export async function* told<Told>(): AsyncGenerator<Told> {
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as Told;
}

/** The JSON argument of a part. */
export function argumentOf<Argument>(): Argument {
  return JSON.parse(process.argv[2] ?? '') as Argument;
}

/** The most that this process ever held, in MiB. */
export function peakRssMiB(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
