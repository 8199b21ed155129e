import { randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Key } from '../../../namespace/key.ts';
import { hasCode } from '../../../schema/errors.ts';
import type {
  HydrateResult,
  OpenRange,
  PutStubResult,
  RemoveResult,
  Sink,
  SinkCapabilities,
  SinkFile,
  Standing,
  StubRequest,
} from '../../../schema/ports/sink.ts';
import { cleanTemps } from './clean-temps.ts';
import { BytesDiffer, fetchBytes } from './fetch-bytes.ts';
import { type Files, loadExtendedAttributes, systemFiles } from './files.ts';
import { type Probed, probeView } from './probe.ts';
import { TEMP_FOLDER } from './settings.ts';
import { sinkError } from './sink-error.ts';
import { ThreadPool } from './thread-pool.ts';
import { View } from './view.ts';
import { adoptView, meetView, type ViewIdentity } from './view-identity.ts';
import { inlineRunner, type ViewRunner } from './view-port.ts';
import { walkView } from './walk.ts';

export interface FileViewOptions {
  /** The folder where the view is mounted. */
  readonly root: string;
  /** Mode of a hydrated file. @default 0o644 */
  readonly hydratedMode?: number | undefined;
  /** `sidecar` passes over extended attributes though they could be had. @default 'probe' */
  readonly attributes?: 'probe' | 'sidecar' | undefined;
  /** Threads that write. More than there are cores only hinder each other on a local disk. @default the cores, from 2 to 8 */
  readonly threads?: number | undefined;
  /** A write that takes longer is broken off before its last step, in milliseconds: well inside the lease of a claim. @default 5_000 */
  readonly writeMs?: number | undefined;
  /** Which view it is; without it any folder is taken. */
  readonly identity?: ViewIdentity | undefined;
  /** Takes the place of the system's calls, and of the threads: for tests. */
  readonly files?: Files | undefined;
}

interface Opened extends Probed {
  readonly runner: ViewRunner;
}

/**
 * A VAST file view, or any folder, as a sink. A stub is a sparse file of the true size with the blob's time, a
 * mark that says what it is, and mode 0000; nothing is done before the root is probed, and a root that would
 * merge names is refused with every call.
 */
export class FileViewSink implements Sink {
  readonly #options: FileViewOptions;
  #opened: Promise<Opened> | undefined;
  /** Of a cleaning that was stopped, or is under way. */
  #cleaning: AsyncGenerator<number> | undefined;

  constructor(options: FileViewOptions) {
    this.#options = options;
  }

  async capabilities(): Promise<SinkCapabilities> {
    return (await this.#open()).capabilities;
  }

  async putStub(stub: StubRequest, signal: AbortSignal): Promise<PutStubResult> {
    const { runner } = await this.#open();
    signal.throwIfAborted();
    return await runner.run({ op: 'put', stub, deadline: this.#deadline() });
  }

  async remove(key: Key, signal: AbortSignal, bytes?: 'drop' | 'keep'): Promise<RemoveResult> {
    const { runner } = await this.#open();
    signal.throwIfAborted();
    return await runner.run({ op: 'remove', key, bytes });
  }

  async hydrate(stub: StubRequest, openRange: OpenRange, signal: AbortSignal): Promise<HydrateResult> {
    const { runner, settings } = await this.#open();
    signal.throwIfAborted();
    const start = await runner.run({ op: 'start-hydrate', stub });
    if (start.outcome !== 'go') return start;
    const temp = `${settings.root}/${TEMP_FOLDER}/bytes-${randomBytes(12).toString('hex')}`;
    const { length, md5 } = stub.attributes;
    let result: HydrateResult | undefined;
    try {
      await fetchBytes(temp, { length, md5 }, openRange, signal);
      result = await runner.run({ op: 'finish-hydrate', stub, temp, deadline: this.#deadline() });
    } catch (error) {
      if (hasCode(error, 'ISTHMUS_SOURCE_CHANGED') || error instanceof BytesDiffer) {
        result = { outcome: 'mismatch', reason: error instanceof Error ? error.message : String(error) };
      } else throw error;
    } finally {
      if (result?.outcome !== 'hydrated') await unlink(temp).catch(() => {});
    }
    return result;
  }

  async *walk(prefix: string, signal: AbortSignal): AsyncGenerator<SinkFile> {
    const { settings, runner } = await this.#open();
    yield* walkView(settings.root, prefix, runner, signal);
  }

  async inspect(key: Key, signal: AbortSignal): Promise<Standing> {
    const { runner } = await this.#open();
    signal.throwIfAborted();
    return await runner.run({ op: 'inspect', key });
  }

  async cleanUp(olderThanMs: number, signal: AbortSignal): Promise<number> {
    const { settings, runner } = await this.#open();
    this.#cleaning ??= cleanTemps(settings.root, runner, olderThanMs);
    let removed = 0;
    try {
      for (;;) {
        signal.throwIfAborted();
        const { done, value } = await this.#cleaning.next();
        if (done) break;
        removed = value;
      }
    } catch (error) {
      signal.throwIfAborted();
      this.#cleaning = undefined;
      throw sinkError(`'${settings.root}/${TEMP_FOLDER}'`, error);
    }
    this.#cleaning = undefined;
    return removed;
  }

  async adoptView(): Promise<void> {
    const { root, identity } = this.#options;
    if (identity === undefined) return;
    await adoptView(root, identity);
    // What was opened may be the one before.
    const opened = this.#opened;
    this.#opened = undefined;
    await (await opened?.catch(() => undefined))?.runner.close();
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    // It ends with the batch that is under way, which a thread that ends breaks off.
    const cleaned = this.#cleaning?.return(undefined).catch(() => undefined);
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.runner.close();
    await cleaned;
  }

  #deadline(): number {
    return Date.now() + (this.#options.writeMs ?? 5_000);
  }

  /** Probes once; a root that was refused is probed again by the next call, for it may have been mended. */
  #open(): Promise<Opened> {
    this.#opened ??= this.#probe().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #probe(): Promise<Opened> {
    const { root, hydratedMode = 0o644, attributes = 'probe', threads = defaultThreads(), identity } = this.#options;
    if (identity !== undefined) await meetView(root, identity);
    const files = this.#options.files ?? systemFiles(await loadExtendedAttributes());
    const probed = probeView({ root, hydratedMode, attributes }, files);
    const inline = this.#options.files !== undefined;
    const runner = inline ? inlineRunner(new View(probed.settings, files)) : new ThreadPool(probed.settings, threads);
    return { ...probed, runner };
  }
}

function defaultThreads(): number {
  return Math.min(8, Math.max(2, availableParallelism()));
}
