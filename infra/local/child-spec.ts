import type { ErrorCode } from '../../schema/errors.ts';

/** One process of the stack: how it is started, when it answers and how it is asked to stop. */
export interface ChildSpec {
  /** What `pid`, `kill` and messages call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Laid over this process's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** The user that it runs as, where this process is root and the child refuses to be. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Where its output goes, both streams. Appended to. */
  readonly log: string;
  /** Done before every start, the first and each restart. */
  readonly prepare?: (() => Promise<void>) | undefined;
  /** Whether it answers. Asked often; an error means no. */
  readonly isReady: () => Promise<boolean>;
  /** How long the first start may take. */
  readonly readyWithinMs: number;
  /** @default SIGTERM */
  readonly stopSignal?: NodeJS.Signals | undefined;
  /** How long it may take to stop before its process group gets SIGKILL. @default 10 s */
  readonly stopWithinMs?: number | undefined;
  /** How long what it had started may outlive it, to end by itself, before that gets SIGKILL. @default 0 */
  readonly restEndsWithinMs?: number | undefined;
  /** The code of the error when it cannot be started. */
  readonly failure: ErrorCode;
}

/** What happened to a child, for people and for tests. */
export interface ChildEvent {
  readonly child: string;
  readonly kind: 'ready' | 'died' | 'restarted' | 'stopped' | 'forced';
  /** `exit 1` or a signal's name, where it died. */
  readonly how?: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}
