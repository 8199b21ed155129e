import type { ChildEvent, ChildSpec } from './child-spec.ts';
import { StackGuard } from './stack-guard.ts';
import { SupervisedChild } from './supervised-child.ts';

/**
 * The children of a stack. One that dies is started again. Those of one call of `start` start together and stop
 * together; `stop` ends the calls in reverse order.
 */
export class Supervisor implements AsyncDisposable {
  readonly #guard = new StackGuard();
  readonly #children = new Map<string, SupervisedChild>();
  readonly #tiers: SupervisedChild[][] = [];
  readonly #tell: (event: ChildEvent) => void;
  #stopped: Promise<void> | undefined;

  constructor(tell: (event: ChildEvent) => void = () => {}) {
    this.#tell = tell;
  }

  /** Resolves when all of them answer. Rejects with the end of the log of one that does not; the others run on until `stop`. */
  async start(...specs: readonly ChildSpec[]): Promise<void> {
    if (this.#stopped) throw new Error('Nothing is started any more: the stack is stopping.');
    const tier = specs.map((spec) => new SupervisedChild(spec, this.#guard, this.#tell));
    for (const child of tier) this.#children.set(child.spec.name, child);
    this.#tiers.push(tier);
    const starts = await Promise.allSettled(tier.map((child) => child.start()));
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
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
    for (const tier of this.#tiers.toReversed()) await Promise.all(tier.map((child) => child.stop()));
    await this.#guard.stop();
  }
}
