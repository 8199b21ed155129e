import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { launcherPath, NODE_FLAGS } from '../../infra/local/launcher.ts';

it('the command that a user types gives Node the flags that the embedded stack gives its worker', () => {
  const [first] = readFileSync(launcherPath(), 'utf8').split('\n');
  expect(first).toBe(`#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}`);
});
