import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { recordingTerminal } from './recording-terminal.ts';

const LAUNCHER = fileURLToPath(new URL('../../cli/isthmus.mjs', import.meta.url));
const run = promisify(execFile);

/** Runs the command as a user does, in a folder with no stack and with no variables of ours. */
async function isthmus(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  try {
    return { code: 0, ...(await run(process.execPath, [LAUNCHER, ...args], { env, cwd: '/' })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe('the command line', () => {
  it('has examples for every command, and for every one of a group', () => {
    const program = createProgram(recordingTerminal(), () => {});
    const all = program.commands.flatMap((command) => [
      { command, typed: command.name() },
      ...command.commands.map((below) => ({ command: below, typed: `${command.name()} ${below.name()}` })),
    ]);
    const without = all.filter(({ command, typed }) => {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      return !help.includes(`$ isthmus ${typed}`);
    });
    expect(without.map(({ typed }) => typed)).toEqual([]);
    expect(all.map(({ typed }) => typed)).toEqual(expect.arrayContaining(['feed show', 'feed dump', 'feed verify']));
  });

  it('shows each example as it is typed, with the variables before the command', () => {
    const program = createProgram(recordingTerminal(), () => {});
    let help = '';
    const worker = program.commands.find((command) => command.name() === 'worker');
    worker?.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help).toContain('  $ isthmus worker --config');
    expect(help).toMatch(/ {2}\$ DATABASE_URL=\S+ TEMPORAL_ADDRESS=\S+ isthmus worker/);
  });

  it("says in status' help which exit code means what, and what a script asks instead", () => {
    const status = createProgram(recordingTerminal(), () => {}).commands.find((each) => each.name() === 'status');
    let help = '';
    status?.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help).toMatch(/exits 0 .*ALARM/);
    expect(help).toMatch(/--wait.* 1 /);
    expect(help).toContain("isthmus status --json | jq -e '.alarms == []'");
    expect(help).toContain('isthmus doctor');
    expect(help).toContain('infra/alerts/isthmus.rules.yaml');
  });

  it('reconciles by a listing unless told otherwise', () => {
    const program = createProgram(recordingTerminal(), () => {});
    const reconcile = program.commands.find((command) => command.name() === 'reconcile');
    const run = reconcile?.commands.find((command) => command.name() === 'run');
    expect(run?.opts()).toMatchObject({ judge: 'listing' });
  });

  it('has every command that the README and the issue name', () => {
    const names = createProgram(recordingTerminal(), () => {}).commands.map((command) => command.name());
    const promised = ['dev', 'worker', 'status', 'ls', 'explain', 'verify', 'digest', 'replay', 'hydrate', 'reconcile'];
    expect(names).toEqual(expect.arrayContaining([...promised, 'pause', 'resume', 'demo', 'feed']));
  });

  it('is typed in one way throughout the README, which says where that works, and names no command that is not', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const typed = [...readme.matchAll(/(?:^|[`\s])(npx )?isthmus ([a-z]+)/g)];
    const names = createProgram(recordingTerminal(), () => {}).commands.map((command) => command.name());
    expect(typed.filter(([, npx]) => npx === undefined).map(([text]) => text)).toEqual([]);
    expect(typed.map(([, , name]) => name).filter((name) => !names.includes(name ?? ''))).toEqual([]);
    expect(readme.match(/where a message or `--help` says `isthmus`, type that/g)).toHaveLength(1);
  });

  it.each([
    [['--version'], 0],
    [['ls', '--help'], 0],
    [['bogus'], 64],
    [['explain'], 64],
    [['ls', '--limit', 'many'], 64],
    [['pause', 'feed'], 64],
    [['reconcile', '--judge', 'nobody'], 64],
    [['reconcile', 'run', '--judge', 'nobody'], 64],
    [['reconcile', 'nonsense'], 64],
    [['reconcile', 'approve', 'twelve'], 64],
    [['reconcile', 'reject', '12'], 64],
    [['reconcile', 'undo', '--help'], 0],
    [['feed', 'verify', '--dir', ''], 64],
    [['feed', 'dump', '--dir', ''], 64],
  ])('%j ends with exit code %i', async (args, code) => {
    expect((await isthmus(...args)).code).toBe(code);
  });

  it.each(['verify', 'dump'])('feed %s takes no folder without a name', async (command) => {
    const { stderr } = await isthmus('feed', command, '--dir', '');
    expect(stderr).toContain("option '--dir <dir>' argument '' is invalid. It is the name of a folder.");
  });

  it('without a federation says how to name one', async () => {
    const { code, stderr, stdout } = await isthmus('ls');
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toMatch(/^ISTHMUS_USAGE: No federation is named .* --config/);
  });

  it('with a federation file that is not there names the file', async () => {
    const { code, stderr } = await isthmus('worker', '--config', '/nowhere/federation.yaml');
    expect(code).toBe(64);
    expect(stderr).toContain('ISTHMUS_CONFIG: /nowhere/federation.yaml cannot be read');
  });

  it('without Postgres says so in one block', async () => {
    const { code, stderr } = await run(process.execPath, [LAUNCHER, 'ls', '--config', await federationFile()], {
      env: { PATH: process.env.PATH, DATABASE_URL: 'postgres://127.0.0.1:1/none' },
      cwd: '/',
    }).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => error,
    );
    expect(code).toBe(3);
    expect(stderr).toMatch(/^ISTHMUS_INDEX_UNAVAILABLE: The index does not answer: .*ECONNREFUSED.*DATABASE_URL/);
  });
});

async function federationFile(): Promise<string> {
  const { mkdtemp, writeFile } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const file = `${await mkdtemp(`${tmpdir()}/isthmus-cli-`)}/federation.yaml`;
  await writeFile(
    file,
    "name: lake\naccount: { name: contoso }\nsinks: { gpu: { kind: fileView, root: . } }\nrules: [{ prefix: '', authority: blob, sink: gpu }]\n",
  );
  return file;
}
