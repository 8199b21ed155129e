import { describe, expect, it } from 'vitest';
import type { ViewInspection } from '../../../activities/vast/file-view/view-inspection.ts';
import { judgeSink } from '../../../cli/doctor/judge-sink.ts';
import { notGood } from './not-good.ts';

type Probed = Extract<ViewInspection, { kind: 'probed' }>;

const NAMED = { sink: 'gpu', root: '/mnt/vast' };
const SOUND: Probed = {
  kind: 'probed',
  seen: { root: '/mnt/vast', viewId: 'one', wasUsed: true },
  capabilities: { attributes: 'xattr', sparse: true, readsThroughMode: false },
  attributesCanBeAsked: true,
  space: { bytes: 1e15, freeBytes: 5e14, inodes: 1e9, freeInodes: 9e8 },
  asRoot: false,
};
const able = (capabilities: Partial<Probed['capabilities']>): Partial<Probed> => ({
  capabilities: { ...SOUND.capabilities, ...capabilities },
});
const space = (changed: Partial<Probed['space']>): Partial<Probed> => ({ space: { ...SOUND.space, ...changed } });

describe('the root of a sink', () => {
  it('is no finding where it is as it must be', () => {
    expect(notGood(judgeSink(SOUND, NAMED))).toEqual([]);
  });

  it('may be read through mode 0000 by root, and by a file system that counts no inodes', () => {
    expect(notGood(judgeSink({ ...SOUND, ...able({ readsThroughMode: true }), asRoot: true }, NAMED))).toEqual([]);
    expect(notGood(judgeSink({ ...SOUND, ...space({ inodes: 0, freeInodes: 0 }) }, NAMED))).toEqual([]);
  });

  it.each<[string, ViewInspection, string, string, RegExp]>([
    ['that is not there', { kind: 'missing' }, 'wrong', 'sink.gpu.root', /mount -t nfs/],
    ['that is no folder', { kind: 'no-folder' }, 'wrong', 'sink.gpu.root', /sinks\.gpu\.root/],
    ['that is read only', { kind: 'refused', code: 'EROFS', reason: 'no' }, 'wrong', 'sink.gpu.root', /remount,rw/],
    ["that is another user's", { kind: 'refused', code: 'EACCES', reason: 'no' }, 'wrong', 'sink.gpu.root', /chown/],
    ['that is full', { kind: 'refused', code: 'ENOSPC', reason: 'no' }, 'wrong', 'sink.gpu.root', /room/],
    ['that is stale', { kind: 'refused', code: 'ESTALE', reason: 'no' }, 'wrong', 'sink.gpu.root', /umount/],
    ['that merges names', { kind: 'refused', code: undefined, reason: 'no' }, 'wrong', 'sink.gpu.root', /another root/],
    [
      'without extended attributes',
      { ...SOUND, ...able({ attributes: 'sidecar' }) },
      'warning',
      'sink.gpu.attributes',
      /NFS 4\.2/,
    ],
    [
      'that cannot be asked for them',
      { ...SOUND, ...able({ attributes: 'sidecar' }), attributesCanBeAsked: false },
      'warning',
      'sink.gpu.attributes',
      /npm rebuild fs-xattr/,
    ],
    ['without holes', { ...SOUND, ...able({ sparse: false }) }, 'wrong', 'sink.gpu.sparse', /sparse/],
    [
      'that mode 0000 does not close',
      { ...SOUND, ...able({ readsThroughMode: true }) },
      'wrong',
      'sink.gpu.mode',
      /modes/,
    ],
    ['that is nearly full', { ...SOUND, ...space({ freeBytes: 3e13 }) }, 'warning', 'sink.gpu.space', /df -h/],
    ['with few inodes', { ...SOUND, ...space({ freeInodes: 1e6 }) }, 'wrong', 'sink.gpu.space', /df -i/],
    ['that does not tell its room', { ...SOUND, ...space({ bytes: 0 }) }, 'unknown', 'sink.gpu.space', /(?:)/],
  ])('%s is named, with what mends it', (_, inspection, outcome, check, mend) => {
    const found = notGood(judgeSink(inspection, NAMED));
    expect(found.map((finding) => [finding.outcome, finding.check])).toEqual([[outcome, check]]);
    expect(found[0]?.mend ?? '').toMatch(mend);
  });
});
