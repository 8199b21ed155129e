import { randomBytes } from 'node:crypto';
import { mkdirSync, opendirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { IsthmusError } from '../../../schema/errors.ts';
import type { SinkCapabilities } from '../../../schema/ports/sink.ts';
import { type Files, unlessCode } from './files.ts';
import { ENTRY_ATTRIBUTE, isClosed } from './mark.ts';
import { nodeOf, requireRootToProbe } from './root.ts';
import { SIDECAR_FOLDER, TEMP_FOLDER, type ViewSettings } from './settings.ts';
import { sinkError } from './sink-error.ts';
import { makeTempFolder } from './temp-files.ts';

export interface ProbeOptions {
  readonly root: string;
  readonly hydratedMode: number;
  /** `sidecar` passes over attributes that could be had. */
  readonly attributes: 'probe' | 'sidecar';
}

export interface Probed {
  readonly settings: ViewSettings;
  readonly capabilities: SinkCapabilities;
}

const SPARSE_LENGTH = 64 * 1024 * 1024;
const BLOCK = 512;

/** Tries out what the root can do, by making files in it and removing them. Refuses a root that is not there, or would merge two names. */
export function probeView(options: ProbeOptions, files: Files): Probed {
  requireRootToProbe(options.root);
  try {
    const root = realpathSync(options.root);
    makeTempFolder(root, files);
    if (!files.stat(`${root}/${TEMP_FOLDER}`)?.isDirectory()) throw refusal(`has something else at '${TEMP_FOLDER}'`);
    refuseMergingNames(root, files);
    const temp = `${root}/${TEMP_FOLDER}/probe-${randomBytes(8).toString('hex')}`;
    const fd = files.create(temp, 0o600);
    try {
      files.resize(fd, SPARSE_LENGTH);
      const sparse = files.statOpen(fd).blocks * BLOCK < SPARSE_LENGTH / 2;
      const attributes = options.attributes === 'probe' && keepsAttributes(files, temp) ? 'xattr' : 'sidecar';
      if (attributes === 'sidecar') unlessCode(() => mkdirSync(`${root}/${SIDECAR_FOLDER}`, 0o700), 'EEXIST');
      files.resize(fd, 0);
      files.setMode(fd, 0);
      if (!isClosed(files.statOpen(fd))) throw refusal('keeps no mode 0000, so a reader would be given zeros');
      const readsThroughMode = passes(() => readFileSync(temp));
      const writesThroughMode =
        attributes === 'sidecar' || passes(() => files.setAttribute(temp, ENTRY_ATTRIBUTE, '-'));
      return {
        settings: {
          root,
          rootNode: nodeOf(statSync(root)),
          attributes,
          writesThroughMode,
          hydratedMode: options.hydratedMode,
        },
        capabilities: { attributes, sparse, readsThroughMode },
      };
    } finally {
      files.close(fd);
      files.unlink(temp);
    }
  } catch (error) {
    throw sinkError(`the root '${options.root}' cannot be used`, error);
  }
}

function keepsAttributes(files: Files, temp: string): boolean {
  return (
    passes(() => files.setAttribute(temp, ENTRY_ATTRIBUTE, '-')) && files.getAttribute(temp, ENTRY_ATTRIBUTE) === '-'
  );
}

function passes(step: () => unknown): boolean {
  try {
    step();
    return true;
  } catch {
    return false;
  }
}

function refusal(reason: string): IsthmusError {
  return new IsthmusError('ISTHMUS_SINK', `it ${reason}`);
}

/** Names are bytes: a root for which two of them are one would show one blob under another's name. */
function refuseMergingNames(root: string, files: Files): void {
  const folder = `${root}/${TEMP_FOLDER}`;
  const unique = randomBytes(8).toString('hex');
  const name = `probe-${unique}-A-\u00e9`;
  files.close(files.create(`${folder}/${name}`, 0o600));
  try {
    const merged = (other: string) => files.stat(`${folder}/${other}`) !== undefined;
    const says = (what: string) => refusal(`${what}, so two blobs could become one file; names must be kept as bytes`);
    if (merged(name.replace('A', 'a'))) throw says('takes upper and lower case for the same');
    if (merged(name.normalize('NFD'))) throw says('takes the two forms of an accent for the same');
    if (!lists(folder, name)) throw says('changes names');
  } finally {
    unlessCode(() => files.unlink(`${folder}/${name}`), 'ENOENT');
  }
}

/** One name at a time: as many bytes may be kept there as a directory had files before it was renamed. */
function lists(folder: string, name: string): boolean {
  const directory = opendirSync(folder);
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (entry.name === name) return true;
    }
    return false;
  } finally {
    directory.closeSync();
  }
}
