import { open } from 'node:fs/promises';

const BYTES = 16 * 1024;

/** The last lines of a log file, for an error message; empty where there is no such file. */
export async function logTail(file: string, lines = 20): Promise<string> {
  try {
    await using log = await open(file);
    const { size } = await log.stat();
    const { buffer, bytesRead } = await log.read(
      Buffer.alloc(Math.min(BYTES, size)),
      0,
      undefined,
      Math.max(0, size - BYTES),
    );
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
