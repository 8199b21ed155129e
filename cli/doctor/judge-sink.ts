import type { Space, ViewInspection } from '../../activities/vast/file-view/view-inspection.ts';
import { formatBytes } from '../format.ts';
import { type Finding, good, unknown, warning, wrong } from './finding.ts';

/** A file view, as the federation file names it. */
export interface NamedSink {
  readonly sink: string;
  readonly root: string;
}

const LITTLE = 0.05;
const TOO_LITTLE = 0.01;

/** What a root can do means for the stubs in it. */
export function judgeSink(found: ViewInspection, { sink, root }: NamedSink): readonly Finding[] {
  const check = `sink.${sink}.root`;
  switch (found.kind) {
    case 'missing':
      return [
        wrong(
          check,
          `${root} is not there`,
          `Mount the view there (mount -t nfs VIP:/EXPORT ${root}), or correct sinks.${sink}.root: until then a worker writes nothing there.`,
        ),
      ];
    case 'no-folder':
      return [wrong(check, `${root} is no folder`, `Correct sinks.${sink}.root.`)];
    case 'refused':
      return [wrong(check, found.reason, mendOf(found.code, { sink, root }))];
    case 'probed': {
      const { capabilities, attributesCanBeAsked, space, asRoot } = found;
      return [
        good(check, `${root} can be written, and files in it replaced by one rename`),
        judgeAttributes(capabilities.attributes, attributesCanBeAsked, { sink, root }),
        judgeSparse(capabilities.sparse, { sink, root }),
        judgeMode(capabilities.readsThroughMode, asRoot, { sink, root }),
        judgeSpace(space, { sink, root }),
      ];
    }
  }
}

function mendOf(code: string | undefined, { sink, root }: NamedSink): string {
  switch (code) {
    case 'EROFS':
      return `Mount it to be written: mount -o remount,rw ${root}; and let the view policy of VAST give this host read and write.`;
    case 'EACCES':
    case 'EPERM':
      return `Let the worker's user write there: chown USER ${root}; and let the view policy of VAST give this host read and write.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `Make room on ${root}, or raise its quota.`;
    case 'ESTALE':
    case 'EIO':
    case 'ENOTCONN':
      return `Mount it anew: umount -l ${root} && mount ${root}`;
    default:
      return `Mend what it says, or name another root as sinks.${sink}.root.`;
  }
}

function judgeAttributes(kept: 'xattr' | 'sidecar', canBeAsked: boolean, { sink, root }: NamedSink): Finding {
  const check = `sink.${sink}.attributes`;
  if (kept === 'xattr') return good(check, `${root} keeps extended attributes`);
  if (!canBeAsked) {
    return warning(
      check,
      'the package fs-xattr is not there or was built for another machine, so that what a stub says of itself is kept in a sidecar file, beside each',
      'npm rebuild fs-xattr (it needs a C++ compiler)',
    );
  }
  return warning(
    check,
    `${root} keeps no extended attributes: what a stub says of itself is kept in a sidecar file, one more for each`,
    'Mount with NFS 4.2 or 4.1 and extended attributes (VAST: NFS 4.2 in the view policy); a local file system with user_xattr.',
  );
}

function judgeSparse(sparse: boolean, { sink, root }: NamedSink): Finding {
  const check = `sink.${sink}.sparse`;
  if (sparse) return good(check, `${root} keeps holes: a stub takes no room`);
  return wrong(
    check,
    `${root} fills holes with bytes: a stub would take the room of its blob`,
    'Use a file system with sparse files (VAST, ext4, XFS; not exFAT or SMB without them).',
  );
}

function judgeMode(readsThrough: boolean, asRoot: boolean, { sink, root }: NamedSink): Finding {
  const check = `sink.${sink}.mode`;
  if (!readsThrough) return good(check, `mode 0000 keeps this process out of a stub on ${root}`);
  // The probe can tell only of itself.
  if (asRoot)
    return good(check, `mode 0000 is kept on ${root}; this process is root, who reads through it: other users do not`);
  return wrong(
    check,
    `${root} lets a user who is not root read through mode 0000: readers of a stub would be given zeros`,
    'Mount with the server checking modes (NFS: sec=sys, no all_squash to the owner; VAST: a view policy with POSIX permissions).',
  );
}

function judgeSpace({ bytes, freeBytes, inodes, freeInodes }: Space, { sink, root }: NamedSink): Finding {
  const check = `sink.${sink}.space`;
  if (bytes === 0) return unknown(check, `${root} does not say how much room it has`);
  const freeShare = freeBytes / bytes;
  const inodeShare = inodes === 0 ? 1 : freeInodes / inodes;
  const counted = inodes === 0 ? '' : `, ${Math.round(inodeShare * 100)} % of its inodes`;
  const found = `${formatBytes(freeBytes)} (${Math.round(freeShare * 100)} %) of ${root} are free${counted}`;
  const least = Math.min(freeShare, inodeShare);
  const mend = `Make room on ${root}, or raise its quota: a stub takes one inode, a hydrated file its bytes. df -h ${root}; df -i ${root}`;
  if (least < TOO_LITTLE) return wrong(check, found, mend);
  return least < LITTLE ? warning(check, found, mend) : good(check, found);
}
