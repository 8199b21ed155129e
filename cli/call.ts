import type { Environment } from './environment.ts';
import type { Terminal } from './terminal.ts';

/** What every command is given beside its own arguments. */
export interface Call {
  readonly env: Environment;
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C and by `kill`. */
  readonly signal: AbortSignal;
  readonly json: boolean;
  /** `--config`. */
  readonly config: string | undefined;
}
