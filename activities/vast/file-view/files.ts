import fs, { constants, type Stats } from 'node:fs';

/**
 * The steps that a view is built of, each one system call. They block: a view runs in threads of its own, where
 * one blocking call costs a tenth of the same call through the event loop. Tests pass one that fails or stops at
 * a chosen step. Errors are Node's, with their `code`.
 */
export interface Files {
  /** Makes a new file, open for writing; never through a symbolic link. */
  create(path: string, mode: number): number;
  /** Opens a file that is there for writing; never through a symbolic link. */
  reopen(path: string): number;
  close(fd: number): void;
  resize(fd: number, length: number): void;
  setMode(fd: number, mode: number): void;
  /** Sets the modification time, in milliseconds; the access time becomes now. */
  setTime(fd: number, modified: number): void;
  /** Never follows a symbolic link; undefined where nothing is there. */
  stat(path: string): Stats | undefined;
  statOpen(fd: number): Stats;
  makeDirectory(path: string): void;
  removeDirectory(path: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  readText(path: string): string | undefined;
  writeText(path: string, text: string): void;
  /** Undefined where the file has no such attribute. */
  getAttribute(path: string, name: string): string | undefined;
  setAttribute(path: string, name: string, value: string): void;
  /** Runs the work with a path that stays this very inode's, whatever is renamed meanwhile. Throws `ESTALE` where the path is another inode's by now. */
  pinned<T>(path: string, stat: Stats, work: (pinnedPath: string) => T): T;
  /** Like `setMode` and `setTime`, on a pinned path. */
  setModeAt(pinnedPath: string, mode: number): void;
  setTimeAt(pinnedPath: string, modified: number): void;
}

/** What `fs-xattr` gives; it is an optional package. Only its blocking half is used: the other leaks memory with every call. */
export interface ExtendedAttributes {
  getAttributeSync(path: string, name: string): Buffer;
  setAttributeSync(path: string, name: string, value: string): void;
}

/** @returns undefined where the package is not there or was built for another machine. */
export async function loadExtendedAttributes(): Promise<ExtendedAttributes | undefined> {
  try {
    return await import('fs-xattr');
  } catch {
    return undefined;
  }
}

/** Opens the name itself and no content, so that mode 0000 does not matter; Linux alone has it. */
const O_PATH = 0o10000000;
const DIRECTORY_MODE = 0o755;

export function systemFiles(attributes: ExtendedAttributes | undefined): Files {
  return {
    create: (path, mode) =>
      fs.openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW, mode),
    reopen: (path) => fs.openSync(path, constants.O_RDWR | constants.O_NOFOLLOW),
    close: (fd) => fs.closeSync(fd),
    resize: (fd, length) => fs.ftruncateSync(fd, length),
    setMode: (fd, mode) => fs.fchmodSync(fd, mode),
    setTime: (fd, modified) => fs.futimesSync(fd, Date.now() / 1000, seconds(modified)),
    stat: (path) => fs.lstatSync(path, { throwIfNoEntry: false }),
    statOpen: (fd) => fs.fstatSync(fd),
    makeDirectory: (path) => fs.mkdirSync(path, DIRECTORY_MODE),
    removeDirectory: (path) => fs.rmdirSync(path),
    rename: (from, to) => fs.renameSync(from, to),
    unlink: (path) => fs.unlinkSync(path),
    readText: (path) => unlessCode(() => fs.readFileSync(path, 'utf8'), 'ENOENT'),
    writeText: (path, text) => fs.writeFileSync(path, text, { flag: 'wx', mode: 0o600 }),
    getAttribute: (path, name) =>
      unlessCode(() => attributes?.getAttributeSync(path, name).toString('utf8'), 'ENODATA', 'ENOTSUP'),
    setAttribute: (path, name, value) => attributes?.setAttributeSync(path, name, value),
    pinned,
    setModeAt: (path, mode) => fs.chmodSync(path, mode),
    setTimeAt: (path, modified) => fs.utimesSync(path, Date.now() / 1000, seconds(modified)),
  };
}

/** Whole milliseconds as seconds; a quarter of a microsecond up where the fraction has no exact form, so that cutting it down gives the same millisecond. */
function seconds(ms: number): number {
  return ms % 1000 === 0 ? ms / 1000 : (ms + 0.00025) / 1000;
}

function pinned<T>(path: string, stat: Stats, work: (pinnedPath: string) => T): T {
  if (process.platform !== 'linux') return work(path);
  const fd = fs.openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (fs.fstatSync(fd).ino !== stat.ino) throw Object.assign(new Error(`ESTALE: ${path}`), { code: 'ESTALE' });
    return work(`/proc/self/fd/${fd}`);
  } finally {
    fs.closeSync(fd);
  }
}

/** The `code` of a system error, or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Runs a step that may find nothing: these codes become undefined. */
export function unlessCode<T>(step: () => T, ...codes: readonly string[]): T | undefined {
  try {
    return step();
  } catch (error) {
    if (codes.includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
