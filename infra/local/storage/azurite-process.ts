import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { IsthmusError } from '../../../schema/errors.ts';
import { MAX_HEADER_BYTES } from './front/storage-front.ts';
import { accepts } from './taken-port.ts';

const STARTS_WITHIN_MS = 30_000;
const STOPS_WITHIN_MS = 5_000;
/** One whose front was killed writes down what it holds and ends, within this. */
export const AZURITE_ENDS_WITHIN_MS = STOPS_WITHIN_MS + 1_000;

/**
 * Runs in the child before Azurite: it ends with its parent, however the parent ended, and first writes down
 * what it holds.
 */
const DIES_WITH_PARENT = `data:text/javascript,${encodeURIComponent(`
  process.on('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.exit(1), ${STOPS_WITHIN_MS}).unref();
  });
  process.channel?.unref();
`)}`;

export interface AzuriteOptions {
  readonly port: number;
  /** Where blobs are kept; undefined keeps them in memory, and a restart then loses them. */
  readonly location: string | undefined;
  /** Told of every death that was not asked for. */
  readonly onDeath: (reason: string) => void;
}

/** A real Azurite as a child process, started again whenever it dies. */
export class AzuriteProcess {
  readonly #options: AzuriteOptions;
  #child: ChildProcess | undefined;
  #restarts = 0;
  #stopping = false;

  private constructor(options: AzuriteOptions) {
    this.#options = options;
  }

  /** Resolves when it answers. Throws where it does not within 30 s, with what it last printed. */
  static async start(options: AzuriteOptions): Promise<AzuriteProcess> {
    const azurite = new AzuriteProcess(options);
    await azurite.#launch();
    return azurite;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it died and was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Lets it write what it holds; kills it where it takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS);
    await gone;
    clearTimeout(late);
  }

  async #launch(): Promise<void> {
    const { port, location } = this.#options;
    const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
    const keep = location === undefined ? ['--inMemoryPersistence'] : ['--location', location];
    const flags = ['--silent', '--skipApiVersionCheck', '--disableTelemetry'];
    const env = { ...process.env };
    delete env.AZURITE_ACCOUNTS;
    delete env.AZURITE_DB;
    const child = fork(main, ['--blobHost', '127.0.0.1', '--blobPort', String(port), ...keep, ...flags], {
      env,
      execArgv: [`--max-http-header-size=${MAX_HEADER_BYTES}`, '--import', DIES_WITH_PARENT],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    let printed = '';
    const note = (text: Buffer): void => {
      printed = (printed + text.toString()).slice(-2_000);
    };
    child.stdout?.on('data', note);
    child.stderr?.on('data', note);
    child.once('exit', (code, signal) => {
      if (!this.#stopping && this.#child === child) void this.#restart(`${signal ?? `exit code ${code}`}: ${printed}`);
    });
    await this.#answers(child, () => printed);
  }

  async #answers(child: ChildProcess, printed: () => string): Promise<void> {
    const deadline = Date.now() + STARTS_WITHIN_MS;
    while (Date.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      if (await accepts(this.#options.port)) return;
      await sleep(25);
    }
    throw new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', `Azurite does not start: ${printed().trim()}`);
  }

  async #restart(reason: string): Promise<void> {
    this.#restarts += 1;
    this.#options.onDeath(reason);
    await sleep(100 * Math.min(this.#restarts, 20));
    if (this.#stopping) return;
    // A child that dies again while it starts comes back here through its own exit.
    await this.#launch().catch(() => undefined);
  }
}
