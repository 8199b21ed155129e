import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode, type Files, unlessCode } from './files.ts';
import { decodeMark, ENTRY_ATTRIBUTE, encodeMark, type Mark, STATE_ATTRIBUTE } from './mark.ts';
import { SIDECAR_FOLDER, type ViewSettings } from './settings.ts';

/** Where the marks of files are kept. `path` is relative to the root, `at` is the whole path. */
export interface Marks {
  /** @returns undefined where the file bears no mark: it is foreign. */
  read(path: string, at: string, stat: Stats): Mark | undefined;
  /** Marks an open temporary file, before its mode is taken away. */
  attach(temp: string, mark: Mark): void;
  /** The last step before the temporary file takes the place of `standing` (if anything stands there). */
  announce(path: string, temp: string, mark: Mark, standing: Stats | undefined): void;
  /** Changes the mark, and the time, of a file that stays. */
  amend(path: string, at: string, stat: Stats, mark: Mark): void;
  forget(path: string): void;
}

/** The marks of a view, as its root can keep them. */
export function marksOf({ attributes, root }: ViewSettings, files: Files, tempPath: () => string): Marks {
  return attributes === 'xattr' ? attributeMarks(files) : sidecarMarks(files, `${root}/${SIDECAR_FOLDER}`, tempPath);
}

/** Marks in extended attributes: they move with the file, so file and mark change in one rename. */
function attributeMarks(files: Files): Marks {
  return {
    read(_path, at, stat) {
      const text = readAttribute(files, at, stat);
      return text === undefined ? undefined : decodeMark(text);
    },
    attach(temp, mark) {
      files.setAttribute(temp, ENTRY_ATTRIBUTE, encodeMark(mark));
      files.setAttribute(temp, STATE_ATTRIBUTE, mark.state);
    },
    announce() {},
    amend(_path, at, stat, mark) {
      files.pinned(at, stat, (pinned) => {
        withRights(files, pinned, stat, 0o600, () => {
          // The mark last: until it says the new revision, the whole step is due again.
          files.setTimeAt(pinned, mark.modified);
          files.setAttribute(pinned, ENTRY_ATTRIBUTE, encodeMark(mark));
        });
      });
    },
    forget() {},
  };
}

function readAttribute(files: Files, at: string, stat: Stats): string | undefined {
  try {
    return files.getAttribute(at, ENTRY_ATTRIBUTE);
  } catch (error) {
    const code = errorCode(error);
    // A foreign file that is closed to us: it cannot be one of ours, for we can open those.
    if (code === 'EACCES' && stat.uid !== process.geteuid?.()) return undefined;
    if (code !== 'EACCES') throw error;
    return files.pinned(at, stat, (pinned) =>
      withRights(files, pinned, stat, 0o400, () => files.getAttribute(pinned, ENTRY_ATTRIBUTE)),
    );
  }
}

/** A user attribute is closed by mode 0000 even to the file's owner, unless it is root: open it to the owner alone for the moment. */
function withRights<T>(files: Files, pinned: string, stat: Stats, mode: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
  }
  files.setModeAt(pinned, mode);
  try {
    return work();
  } finally {
    files.setModeAt(pinned, stat.mode & 0o7777);
  }
}

const sidecarSchema = z.object({
  path: z.string(),
  files: z.array(z.object({ ino: z.number(), mtime: z.number(), mark: z.string() })),
});
type Sidecar = z.infer<typeof sidecarSchema>;

/**
 * Marks in files of their own, `ROOT/.isthmus/XX/SHA256-OF-PATH.json`. A mark counts only for the file with its
 * inode, length and time: so it can be written before the rename that it is for, beside the mark of the file
 * that still stands, and a crash between the two leaves both files with a true mark.
 */
function sidecarMarks(files: Files, folder: string, tempPath: () => string): Marks {
  const sidecarOf = (path: string) => {
    const hash = createHash('sha256').update(path).digest('hex');
    return { directory: join(folder, hash.slice(0, 2)), file: join(folder, hash.slice(0, 2), `${hash}.json`) };
  };
  const load = (path: string): Sidecar['files'] => {
    const text = files.readText(sidecarOf(path).file);
    if (text === undefined) return [];
    const sidecar = unlessSyntax(text);
    return sidecar?.path === path ? sidecar.files : [];
  };
  const save = (path: string, sidecar: Sidecar) => {
    const { directory, file } = sidecarOf(path);
    const temp = tempPath();
    files.writeText(temp, JSON.stringify(sidecar));
    const landed = unlessCode(() => files.rename(temp, file) ?? true, 'ENOENT');
    if (landed) return;
    unlessCode(() => files.makeDirectory(directory), 'EEXIST');
    files.rename(temp, file);
  };
  const isOf = (stat: Stats) => (record: Sidecar['files'][number]) =>
    record.ino === stat.ino &&
    Math.abs(record.mtime - stat.mtimeMs) < 2 &&
    decodeMark(record.mark)?.length === stat.size;
  return {
    read(path, _at, stat) {
      const record = load(path).find(isOf(stat));
      return record === undefined ? undefined : decodeMark(record.mark);
    },
    attach() {},
    announce(path, temp, mark, standing) {
      const stat = files.stat(temp);
      if (stat === undefined) return;
      const kept = standing === undefined ? [] : load(path).filter(isOf(standing));
      save(path, { path, files: [{ ino: stat.ino, mtime: stat.mtimeMs, mark: encodeMark(mark) }, ...kept] });
    },
    amend(path, at, stat, mark) {
      const kept = load(path).filter(isOf(stat));
      const amended = { ino: stat.ino, mtime: mark.modified, mark: encodeMark(mark) };
      files.pinned(at, stat, (pinned) => {
        save(path, { path, files: [...kept, amended] });
        files.setTimeAt(pinned, mark.modified);
        save(path, { path, files: [{ ...amended, mtime: files.stat(at)?.mtimeMs ?? amended.mtime }] });
      });
    },
    forget: (path) => unlessCode(() => files.unlink(sidecarOf(path).file), 'ENOENT'),
  };
}

function unlessSyntax(text: string): Sidecar | undefined {
  try {
    return sidecarSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
