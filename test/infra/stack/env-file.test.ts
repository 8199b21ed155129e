import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readEnvFile, writeEnvFile } from '../../../infra/local/env-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);
const ENV = {
  ACCOUNT: 'devstoreaccount1',
  BLOB: 'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNO+/K1==;',
  DATABASE_URL: 'postgres://postgres:se$cret@127.0.0.1:5432/isthmus?a=1&b=2',
  FOLDER: '/home/a b/lake # `date` "x" \\ ~',
  EMPTY: '',
};

describe('the environment file of a stack', () => {
  it('has the same values for us, for a dotenv reader, and for a shell that sources it', async () => {
    await using temporary = await temporaryFolder();
    const file = path.join(temporary.folder, 'isthmus.env');
    await writeEnvFile(file, ENV);
    expect(await readEnvFile(file)).toEqual(ENV);
    const { stdout: text } = await run('cat', [file]);
    expect(parseEnv(text)).toEqual(ENV);
    const script = `set -a; . "$1"; exec "$2" -p 'JSON.stringify(process.env)'`;
    const { stdout, stderr } = await run('/bin/sh', ['-c', script, 'sh', file, process.execPath], { env: {} });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject(ENV);
  });

  it('holds a quote for us and for a shell, which a dotenv reader has no word for', async () => {
    await using temporary = await temporaryFolder();
    const file = path.join(temporary.folder, 'isthmus.env');
    const env = { FOLDER: "/home/o'brien/it's; here" };
    await writeEnvFile(file, env);
    expect(await readEnvFile(file)).toEqual(env);
    const { stdout } = await run('/bin/sh', ['-c', '. "$1"; printf %s "$FOLDER"', 'sh', file], { env: {} });
    expect(stdout).toBe(env.FOLDER);
  });

  it('is read as an earlier version wrote it, with values as they are', async () => {
    await using temporary = await temporaryFolder();
    const file = path.join(temporary.folder, 'stack.env');
    await writeFile(file, 'BLOB=a=b;c=d;\nEMPTY=\n');
    expect(await readEnvFile(file)).toEqual({ BLOB: 'a=b;c=d;', EMPTY: '' });
  });
});
