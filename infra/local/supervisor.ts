import type { ChildEvent, ChildSpec } from './child-spec.ts';
import { StackGuard } from './stack-guard.ts';
import { SupervisedChild } from './supervised-child.ts';

/** The children of a stack. One that dies is started again; `stop` ends them in the reverse order of their start. */
export class Supervisor implements AsyncDisposable {
  readonly #guard = new StackGuard();
  readonly #children = new Map<string, SupervisedChild>();
  readonly #tell: (event: ChildEvent) => void;
  #stopped: Promise<void> | undefined;

  constructor(tell: (event: ChildEvent) => void = () => {}) {
    this.#tell = tell;
  }

  /** Resolves when the child answers. Rejects with the end of its log where it does not. */
  async start(spec: ChildSpec): Promise<void> {
    if (this.#stopped) throw new Error(`${spec.name} is not started: the stack is stopping.`);
    const child = new SupervisedChild(spec, this.#guard, this.#tell);
    this.#children.set(spec.name, child);
    await child.start();
  }

  /** Of one child; undefined where it is down or there is none of this name. */
  pid(name: string): number | undefined {
    return this.#children.get(name)?.pid;
  }

  /** Of every child that runs, and of the guard. */
  pids(): readonly number[] {
    return [...this.#children.values(), this.#guard].flatMap(({ pid }) => pid ?? []);
  }

  isUp(name: string): boolean {
    return this.#children.get(name)?.isUp ?? false;
  }

  /** How often a child was started again. */
  restarts(name: string): number {
    return this.#children.get(name)?.restarts ?? 0;
  }

  kill(name: string, signal: NodeJS.Signals): void {
    this.#children.get(name)?.kill(signal);
  }

  /** Resolves when nothing is left. May be called more than once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  /** SIGKILL to everything: for whoever will not wait for `stop`, which then resolves soon. */
  force(): void {
    for (const child of this.#children.values()) child.force();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stopAll(): Promise<void> {
    for (const child of [...this.#children.values()].reverse()) await child.stop();
    await this.#guard.stop();
  }
}
