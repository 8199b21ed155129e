import { defineConfig } from 'vitest/config';
import { PATIENCE_MS } from './test/support/patience.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // More than the two cores: many wait for a process, or for a time to be over.
    maxWorkers: 3,
    // Of a machine that is many times slower, or stands still for a while: they end only what would never end.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: PATIENCE_MS } },
    reporters: ['default'],
  },
});
