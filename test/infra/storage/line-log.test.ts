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
    const written = await LineLog.open(path);
    const lines = Array.from({ length: 3_000 }, (_, at) => `line ${at} ü漢\u2028\u2029\r`);
    await Promise.all(lines.map((line) => written.append(line).written));
    const places = [0, 1, 1_023, 1_024, 1_025, 2_048, 2_999];
    for (const from of places) expect(await written.read(from, 7)).toEqual(lines.slice(from, from + 7));
    await written.close();
    const again = await LineLog.open(path);
    expect(again.durable).toBe(3_000);
    for (const from of places) expect(await again.read(from, 7)).toEqual(lines.slice(from, from + 7));
    expect(await again.read(3_000, 5)).toEqual([]);
    await again.close();
  });

  it('cuts off a last line that a crash left without its end', async () => {
    const path = await logPath();
    const written = await LineLog.open(path);
    await written.append('whole').written;
    await written.close();
    await appendFile(path, 'torn');
    const again = await LineLog.open(path);
    expect(again.append('next').number).toBe(1);
    await again.close();
    const third = await LineLog.open(path);
    expect(await third.read(0, 10)).toEqual(['whole', 'next']);
    await third.close();
  });
});
