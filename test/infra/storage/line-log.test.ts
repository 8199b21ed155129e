import { appendFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LineLog } from '../../../infra/local/storage/line-log.ts';

async function logPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'isthmus-line-log-')), 'log.jsonl');
}

describe('LineLog', () => {
  it('gives back what was appended, from any place, before and after it is opened again', async () => {
    const path = await logPath();
    const written = new LineLog(path);
    const lines = Array.from({ length: 3_000 }, (_, at) => `line ${at} ü漢\u2028\u2029\r`);
    for (const line of lines) written.append(line);
    const places = [0, 1, 1_023, 1_024, 1_025, 2_048, 2_999];
    for (const from of places) expect(await written.read(from, 7)).toEqual(lines.slice(from, from + 7));
    written.close();
    const again = new LineLog(path);
    expect(again.length).toBe(3_000);
    for (const from of places) expect(await again.read(from, 7)).toEqual(lines.slice(from, from + 7));
    expect(await again.read(3_000, 5)).toEqual([]);
    again.close();
  });

  it('cuts off a last line that a crash left without its end', async () => {
    const path = await logPath();
    const written = new LineLog(path);
    written.append('whole');
    written.close();
    await appendFile(path, 'torn');
    const again = new LineLog(path);
    again.append('next');
    expect(again.length).toBe(2);
    again.close();
    const third = new LineLog(path);
    expect(await third.read(0, 10)).toEqual(['whole', 'next']);
    third.close();
  });
});
