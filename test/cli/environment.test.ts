import { mkdir, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { indexUrl, readEnvironment, readFederation } from '../../cli/environment.ts';
import { temporaryFolder } from '../infra/stack/temporary-folder.ts';

it.each([
  ['was killed', 'ISTHMUS_STACK_PROCESS=999999999:0\nISTHMUS_CONFIG=/gone.yaml\n'],
  ['was stopped', undefined],
])(
  'a command without a federation says of an isthmus dev that %s where it was, and how to start it',
  async (_, env) => {
    await using temporary = await temporaryFolder();
    const folder = await realpath(temporary.folder);
    const below = path.join(folder, 'a', 'b');
    await mkdir(below, { recursive: true });
    await mkdir(path.join(folder, '.isthmus'));
    if (env !== undefined) await writeFile(path.join(folder, '.isthmus', 'stack.env'), env);
    expect(await readEnvironment(below, {})).toEqual({});
    await expect(readFederation(undefined, {}, below)).rejects.toMatchObject({
      code: 'ISTHMUS_USAGE',
      message: `No federation is named, and the \`isthmus dev\` of ${folder} is not running, or not ready yet: its state is in .isthmus/ there. Start it there again with \`isthmus dev\`, or pass --config federation.yaml, or set ISTHMUS_CONFIG.`,
    });
  },
);

it('a command without a federation says so where no isthmus dev ever was', async () => {
  await using temporary = await temporaryFolder();
  await expect(readFederation(undefined, {}, temporary.folder)).rejects.toMatchObject({
    message: expect.stringContaining('no `isthmus dev` runs here'),
  });
});

it.each([
  'secret',
  'postgres//secret',
  'postgres://',
  'host=db password=secret',
  'mysql://u:secret@db/x',
  'postgres://u:sec/ret@db/x',
])('a command with the index at %j says that it is no URL of a Postgres, and not what it holds', (url) => {
  for (const [named, ask] of [
    ['DATABASE_URL', () => indexUrl({ name: 'lake' }, { DATABASE_URL: url })],
    ['index.url of federation lake', () => indexUrl({ name: 'lake', index: { url } }, {})],
  ] as const) {
    expect(ask).toThrow(
      expect.objectContaining({
        code: 'ISTHMUS_USAGE',
        message: expect.stringMatching(
          new RegExp(`^${named} is no URL of a Postgres: write postgres://USER:PASSWORD@HOST`),
        ),
      }),
    );
    expect(ask).not.toThrow(/sec/);
  }
});

it.each([
  'postgres://u:p%2Fw@db.example:5433/isthmus?sslmode=require',
  'postgresql:///isthmus?host=/var/run/postgresql',
  'postgres://%2Fvar%2Frun/isthmus',
  '/var/run/postgresql isthmus',
])('the index may be at %s', (url) => {
  expect(indexUrl({ name: 'lake' }, { DATABASE_URL: url })).toBe(url);
});
