import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('an answer that cannot be written', () => {
  it.skipIf(!existsSync('/dev/full'))('is told in one line and exits 3, as 1 would say something of the feed', () => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, ['cli/isthmus.mjs', '--version'], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      expect(stderr).toMatch(/^isthmus failed: ENOSPC: .*\n.*ISTHMUS_DEBUG=1.*\n$/);
      expect(status).toBe(3);
    } finally {
      closeSync(full);
    }
  });
});
