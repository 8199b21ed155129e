import type { Stats } from 'node:fs';
import { formatKey, type Key } from '../../../namespace/key.ts';
import { keyOf, pathOf } from '../../../namespace/path.ts';
import { IsthmusError } from '../../../schema/errors.ts';
import type {
  HydrateResult,
  PutStubResult,
  RemoveResult,
  SinkFile,
  Standing as Stands,
  StubRequest,
} from '../../../schema/ports/sink.ts';
import { errorCode, type Files, unlessCode } from './files.ts';
import { KeptBytes } from './kept-bytes.ts';
import { isClosed, isVersion, type Mark, markFor, wasChanged } from './mark.ts';
import { type Marks, marksOf } from './marks.ts';
import { requireRoot } from './root.ts';
import type { ViewSettings } from './settings.ts';
import { cannotHold, sinkError } from './sink-error.ts';
import { cleanTemp, TempFiles } from './temp-files.ts';
import { kindOf, makeWay, pruneAbove, removeIfEmpty, type Way, wayTo } from './way.ts';

/** What a walk wants to know of one path. */
export type Description = Omit<SinkFile, 'key'>;

/** Whether bytes may be fetched for a key, or what stands against it. */
export type HydrateStart = { readonly outcome: 'go' } | Exclude<HydrateResult, { readonly outcome: 'hydrated' }>;

/** What stands at a place: nothing, a file of ours, or something that is not Isthmus's to change. */
type Standing = { readonly mark: Mark; readonly stat: Stats } | { readonly conflict: string };

/** What a racing writer does to the directories or names of an attempt: the attempt starts again. */
const RACED = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY', 'ESTALE'];
const ATTEMPTS = 20;

/**
 * A folder as stubs, one blocking step after the other.
 *
 * What must hold: a name shows its old file or its new one, whole, at every moment; what Isthmus did not make is
 * never changed, and nothing is read or written through a symbolic link; between two steps a crash leaves at
 * most an orphan in the folder of temporary files. Two writers of one key must not run at once: claims see to it.
 */
export class View {
  readonly #settings: ViewSettings;
  readonly #files: Files;
  readonly #marks: Marks;
  readonly #kept: KeptBytes;
  readonly #temps: TempFiles;

  /** @param thread see `TempFiles`. @default 0 */
  constructor(settings: ViewSettings, files: Files, thread = 0) {
    this.#settings = settings;
    this.#files = files;
    this.#temps = new TempFiles(settings, files, thread);
    this.#marks = marksOf(settings, files, () => this.#temps.path());
    this.#kept = new KeptBytes(settings.root, files, this.#marks);
  }

  /** See `Sink.putStub`. Past `deadline` (milliseconds since 1970) nothing is put in place any more. */
  put(stub: StubRequest, deadline: number): PutStubResult {
    return this.#attempt(stub.key, (path) => this.#put(stub, path, deadline));
  }

  remove(key: Key, bytes: 'drop' | 'keep' = 'drop'): RemoveResult {
    return this.#attempt(key, (path) => this.#remove(key, path, bytes));
  }

  /** Whether the bytes of this version are wanted at this place. */
  startHydrate(stub: StubRequest): HydrateStart {
    return this.#attempt(stub.key, (path) => this.#startHydrate(stub, path));
  }

  /** Puts a temporary file that holds the blob's bytes, whole and synced, in place. */
  finishHydrate(stub: StubRequest, temp: string, deadline: number): HydrateResult {
    return this.#attempt(stub.key, (path) => this.#finishHydrate(stub, path, temp, deadline));
  }

  /** @returns undefined for what is not there, and for directories. */
  describe(path: string): Description | undefined {
    const at = this.#at(path);
    const stat = this.#files.stat(at);
    if (stat === undefined || stat.isDirectory()) return undefined;
    // It may go, or be replaced, before its mark is read.
    const mark = stat.isFile() ? unlessCode(() => this.#marks.read(path, at, stat) ?? 'none', ...RACED) : 'none';
    if (mark === undefined) return undefined;
    if (mark === 'none') return { etag: undefined, length: stat.size, state: 'foreign' };
    const damage = damageOf(mark, stat);
    return { etag: mark.etag, length: stat.size, state: mark.state, ...(damage === undefined ? {} : { damage }) };
  }

  /** See `Sink.inspect`. Nothing is looked at through a symbolic link. */
  inspect(key: Key): Stands {
    const found = this.#attempt(key, (path): Stands => {
      if (this.#wayTo(path.split('/')).kind !== 'open') return { kind: 'absent' };
      const description = this.describe(path);
      if (description !== undefined) return { kind: 'file', ...description };
      return { kind: this.#files.stat(this.#at(path))?.isDirectory() ? 'directory' : 'absent' };
    });
    return 'outcome' in found ? { kind: 'absent' } : found;
  }

  /** Of these temporary files, removes the old ones. @returns how many went that were no kept bytes. */
  clean(paths: readonly string[], olderThanMs: number): number {
    const { root } = this.#settings;
    return paths.filter((path) => cleanTemp(root, this.#files, this.#marks, path, olderThanMs)).length;
  }

  #put(stub: StubRequest, path: string, deadline: number): PutStubResult | undefined {
    const components = path.split('/');
    const way = this.#wayTo(components);
    if (way.kind === 'blocked') return { outcome: 'conflict', reason: way.reason };
    if (way.kind === 'file') return this.#displace(way);
    const at = this.#at(path);
    let stat = way.kind === 'missing' ? undefined : this.#files.stat(at);
    let shown: PutStubResult | undefined;
    if (stat?.isDirectory()) {
      const emptied = removeIfEmpty(this.#files, at);
      // Of the file that gave way to it: nobody else writes this name's mark meanwhile.
      this.#marks.forget(path);
      if (!emptied) return { outcome: 'shadowed' };
      stat = undefined;
    }
    if (stat !== undefined) {
      const standing = this.#standing(path, at, stat);
      if ('conflict' in standing) return { outcome: 'conflict', reason: standing.conflict };
      shown = this.#keep(stub, path, at, standing);
      if (shown?.outcome === 'hydrated') return shown;
    }
    const prepare = () => makeWay(this.#files, this.#settings.root, components, way);
    const moved = this.#putKept(stub, path, deadline, prepare);
    if (moved !== 'none') return moved;
    if (shown !== undefined) return shown;
    const mark = markOf(stub, 'stub', stub.attributes.lastModified ?? Date.now());
    const temp = this.#makeStub(mark);
    return this.#place(path, temp, mark, stat, deadline, () => {
      prepare();
      return { outcome: stat === undefined ? 'created' : 'updated' };
    });
  }

  /** Puts the bytes of this version in place that were kept under a former name. `none`: there are none. */
  #putKept(stub: StubRequest, path: string, deadline: number, prepare: () => void) {
    if (stub.formerly === undefined) return 'none';
    const temp = this.#temps.path();
    const from = this.#kept.take(stub, temp);
    if (from === undefined) return 'none';
    const mark = markOf(stub, 'hydrated', stub.attributes.lastModified ?? Date.now());
    // As it is now: a sidecar knows a stub by its time, which may have been set just before.
    const standing = this.#files.stat(this.#at(path));
    let placed: PutStubResult | undefined;
    try {
      this.#finish(temp, mark);
      const put = (): PutStubResult => {
        prepare();
        return { outcome: 'hydrated' };
      };
      placed = this.#place(path, temp, mark, standing, deadline, put, 'keep');
      return placed;
    } finally {
      if (placed === undefined) this.#kept.putBack(from, temp, mark);
    }
  }

  /** A file that shows this version already: its bytes are kept, and its mark brought up to the revision. */
  #keep(stub: StubRequest, path: string, at: string, standing: Extract<Standing, { mark: Mark }>) {
    const { mark, stat } = standing;
    if (!isVersion(mark, stub.attributes)) return undefined;
    if (mark.key !== undefined && mark.key !== formatKey(stub.key)) return undefined;
    if (mark.state === 'stub' && (stat.size !== mark.length || !isClosed(stat))) return undefined;
    const modified = stub.attributes.lastModified ?? mark.modified;
    const current = mark.revision === stub.revision && mark.modified === modified;
    if (!current) this.#marks.amend(path, at, stat, markOf(stub, mark.state, modified));
    if (mark.state === 'hydrated') return { outcome: 'hydrated' } as const;
    return { outcome: current ? 'unchanged' : 'updated' } as const;
  }

  /** A file stands where a directory must be. Ours gives way, for live names below win; another stays. */
  #displace(way: { readonly path: string; readonly at: string; readonly stat: Stats }): PutStubResult {
    const ancestor = keyOf(way.path);
    const standing = this.#standing(way.path, way.at, way.stat);
    if ('conflict' in standing) return { outcome: 'conflict', reason: `${standing.conflict} ('${way.path}')` };
    if (ancestor === undefined) return { outcome: 'conflict', reason: `a file stands at '${way.path}'` };
    // Its mark stays: the name is due, and whoever has its claim may have put a file with a new mark there by now.
    unlessCode(() => this.#files.unlink(way.at), 'ENOENT');
    return { outcome: 'displaced', ancestor };
  }

  #remove(key: Key, path: string, bytes: 'drop' | 'keep'): RemoveResult | undefined {
    const components = path.split('/');
    const way = this.#wayTo(components);
    if (way.kind === 'blocked' || way.kind === 'file') return { outcome: 'absent' };
    const at = this.#at(path);
    const stat = way.kind === 'missing' ? undefined : this.#files.stat(at);
    if (stat === undefined || (stat.isDirectory() && removeIfEmpty(this.#files, at))) {
      this.#marks.forget(path);
      pruneAbove(this.#files, this.#settings.root, way.kind === 'missing' ? components.slice(0, way.from) : components);
      return { outcome: 'absent' };
    }
    // Names below this one live there.
    if (stat.isDirectory()) {
      this.#marks.forget(path);
      return { outcome: 'absent' };
    }
    const standing = this.#standing(path, at, stat);
    if ('conflict' in standing) return { outcome: 'conflict', reason: standing.conflict };
    if (standing.mark.key !== undefined && standing.mark.key !== formatKey(key) && standing.mark.state === 'hydrated') {
      return { outcome: 'conflict', reason: `a file of '${standing.mark.key}' was moved here` };
    }
    const kept = bytes === 'keep' && standing.mark.state === 'hydrated';
    if (kept) this.#kept.keep(key, at, standing.mark);
    else this.#files.unlink(at);
    this.#marks.forget(path);
    pruneAbove(this.#files, this.#settings.root, components);
    return kept ? { outcome: 'removed', kept } : { outcome: 'removed' };
  }

  #startHydrate(stub: StubRequest, path: string): HydrateStart {
    const found = this.#found(path);
    if (found !== undefined && 'conflict' in found) return { outcome: 'conflict', reason: found.conflict };
    if (found?.mark.state === 'hydrated' && found.mark.etag === stub.attributes.etag) return { outcome: 'already' };
    // Bytes are fetched into a file there.
    this.#temps.makeFolder();
    return { outcome: 'go' };
  }

  #finishHydrate(stub: StubRequest, path: string, temp: string, deadline: number): HydrateResult | undefined {
    const found = this.#found(path);
    if (found !== undefined && 'conflict' in found) return { outcome: 'conflict', reason: found.conflict };
    if (found !== undefined && found.mark.etag !== stub.attributes.etag && found.mark.revision > stub.revision) {
      return { outcome: 'mismatch', reason: `the stub is of a newer version, ${found.mark.etag}` };
    }
    const mark = markOf(stub, 'hydrated', stub.attributes.lastModified ?? found?.mark.modified ?? Date.now());
    this.#finish(temp, mark);
    const components = path.split('/');
    const way = this.#wayTo(components);
    return this.#place(
      path,
      temp,
      mark,
      found?.stat,
      deadline,
      () => {
        makeWay(this.#files, this.#settings.root, components, way);
        return { outcome: 'hydrated', bytes: mark.length };
      },
      'keep',
    );
  }

  /** Makes a temporary file that holds a blob's bytes what a hydrated file is. */
  #finish(temp: string, mark: Mark): void {
    const fd = this.#files.reopen(temp);
    try {
      this.#marks.attach(temp, mark);
      this.#files.setMode(fd, this.#settings.hydratedMode);
      this.#files.setTime(fd, mark.modified);
    } finally {
      this.#files.close(fd);
    }
  }

  #found(path: string): Standing | undefined {
    const way = this.#wayTo(path.split('/'));
    if (way.kind === 'blocked') return { conflict: way.reason };
    if (way.kind === 'file') return { conflict: `a file stands at '${way.path}'` };
    const at = this.#at(path);
    const stat = way.kind === 'missing' ? undefined : this.#files.stat(at);
    if (stat === undefined) return undefined;
    return stat.isDirectory() ? { conflict: 'live names below this one shadow it' } : this.#standing(path, at, stat);
  }

  /** Throws `ESTALE` where what was looked at is not what stands there by now: the mark that was read is then not its own. */
  #standing(path: string, at: string, stat: Stats): Standing {
    const standing = this.#marked(path, at, stat);
    if ('conflict' in standing && !this.#isUnchanged(stat, this.#files.stat(at))) {
      throw Object.assign(new Error(`ESTALE: ${path}`), { code: 'ESTALE' });
    }
    return standing;
  }

  #isUnchanged(before: Stats, now: Stats | undefined): boolean {
    if (now?.ino !== before.ino || now.size !== before.size || now.mtimeMs !== before.mtimeMs) return false;
    // A stub that is made again has its length and its time, and often its inode. A mark that is on the file itself
    // is the new one's then; opening a closed file to read it there changes this time.
    return this.#settings.attributes === 'xattr' || now.ctimeMs === before.ctimeMs;
  }

  #marked(path: string, at: string, stat: Stats): Standing {
    if (!stat.isFile()) return { conflict: `${kindOf(stat)} stands there that Isthmus did not make` };
    const mark = this.#marks.read(path, at, stat);
    if (mark === undefined) return { conflict: 'a file stands there that Isthmus did not make' };
    if (mark.state === 'stub') return { mark, stat };
    return wasChanged(mark, stat) ? { conflict: 'the file was changed here after it was hydrated' } : { mark, stat };
  }

  /** A whole stub under a temporary name: the size without the bytes, the mark, the time, and no right to read. */
  #makeStub(mark: Mark): string {
    const temp = this.#temps.path();
    const atOnce = this.#settings.writesThroughMode;
    const fd = this.#files.create(temp, atOnce ? 0 : 0o600);
    try {
      if (mark.length > 0) this.#files.resize(fd, mark.length);
      this.#marks.attach(temp, mark);
      this.#files.setTime(fd, mark.modified);
      if (!atOnce) this.#files.setMode(fd, 0);
    } catch (error) {
      this.#files.close(fd);
      this.#discard(temp);
      throw error;
    }
    this.#files.close(fd);
    return temp;
  }

  /** The one step in which a temporary file takes its place. @returns undefined where a race undid the way. @param failed what becomes of the file where it does not. */
  #place<T>(
    path: string,
    temp: string,
    mark: Mark,
    standing: Stats | undefined,
    deadline: number,
    prepare: () => T,
    failed: 'discard' | 'keep' = 'discard',
  ): T | undefined {
    try {
      const result = prepare();
      this.#marks.announce(path, temp, mark, standing);
      if (Date.now() > deadline) throw new IsthmusError('ISTHMUS_SINK', `'${path}' took longer than its claim lasts`);
      this.#files.rename(temp, this.#at(path));
      return result;
    } catch (error) {
      if (failed === 'discard') this.#discard(temp);
      if (RACED.includes(errorCode(error) ?? '')) return undefined;
      throw error;
    }
  }

  #discard(temp: string): void {
    try {
      this.#files.unlink(temp);
    } catch {
      // An orphan is found by its age; what went wrong before matters more.
    }
  }

  /** Maps the key, runs one attempt after another while writers race, and turns errors into answers or `ISTHMUS_SINK`. */
  #attempt<T>(key: Key, step: (path: string) => T | undefined): T | { outcome: 'unrepresentable'; reason: string } {
    const mapped = pathOf(key);
    if ('unrepresentable' in mapped) return { outcome: 'unrepresentable', reason: mapped.unrepresentable };
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const result = unlessCode(() => step(mapped.path), ...RACED);
        if (result !== undefined) return result;
        // Who tidied the folder of temporary files away looks like a writer that races.
        this.#temps.makeFolder();
      }
    } catch (error) {
      const reason = cannotHold(error);
      if (reason !== undefined) return { outcome: 'unrepresentable', reason };
      throw error instanceof IsthmusError ? error : sinkError(`'${mapped.path}'`, error);
    }
    throw new IsthmusError('ISTHMUS_SINK', `'${mapped.path}': its directories kept changing`);
  }

  /** Where not even the container's directory is there, the root may be gone, and nothing is to be said of names. */
  #wayTo(components: readonly string[]): Way {
    const way = wayTo(this.#files, this.#settings.root, components);
    if (way.kind === 'missing' && way.from === 1) requireRoot(this.#settings, this.#files);
    return way;
  }

  #at(path: string): string {
    return `${this.#settings.root}/${path}`;
  }
}

function damageOf(mark: Mark, stat: Stats): SinkFile['damage'] {
  if (mark.state === 'stub') return isClosed(stat) ? undefined : 'open';
  return wasChanged(mark, stat) ? 'changed' : undefined;
}

function markOf(stub: StubRequest, state: Mark['state'], modified: number): Mark {
  const { etag, length } = stub.attributes;
  return markFor(stub.key, { state, etag, length, revision: stub.revision, modified });
}
