import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { launcherPath } from '../../infra/local/launcher.ts';
import type { Story } from './story.ts';

const run = promisify(execFile);

/**
 * Runs one `isthmus` command as a user would, beside the demo's stack, and hands back the JSON that it printed.
 *
 * @throws with the command's own words where its exit code is not among `accepted`.
 */
export async function isthmus<Output>(
  story: Story,
  args: readonly string[],
  accepted: readonly number[] = [0],
): Promise<Output> {
  const env = { ...process.env, ...story.stack.env };
  const done = await run(process.execPath, [launcherPath(), ...args, '--json'], {
    env,
    signal: story.signal,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((failed: { code?: unknown; stdout?: string; stderr?: string }) => {
    if (typeof failed.code === 'number' && accepted.includes(failed.code)) {
      return { stdout: failed.stdout ?? '', stderr: failed.stderr ?? '' };
    }
    throw new Error(
      `isthmus ${args.join(' ')} ended with ${String(failed.code)}: ${failed.stderr || failed.stdout || ''}`,
    );
  });
  const lines = done.stdout.trimEnd().split('\n');
  return JSON.parse(lines.at(-1) ?? '') as Output;
}
