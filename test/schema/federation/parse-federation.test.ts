import { describe, expect, it } from 'vitest';
import { IsthmusError } from '../../../schema/errors.ts';
import { parseFederation } from '../../../schema/federation/parse-federation.ts';

const GOOD = `name: lake
account:
  name: contosolake
sources:
  serviceBus:
    queue: isthmus-events
    connectionString: \${BUS}
  changeFeed: {}
sinks:
  gpu:
    kind: fileView
    root: \${ROOT:-/mnt/vast}/lake
rules:
  - prefix: training/
    authority: blob
    sink: gpu
`;

const SINKS = GOOD.slice(GOOD.indexOf('sinks:'), GOOD.indexOf('rules:'));

function problemsOf(text: string, env: Record<string, string> = { BUS: 'Endpoint=sb://secret' }): string {
  try {
    parseFederation(text, env);
  } catch (error) {
    expect(error).toBeInstanceOf(IsthmusError);
    expect(error).toHaveProperty('code', 'ISTHMUS_CONFIG');
    return (error as IsthmusError).message;
  }
  throw new Error('It was taken for good.');
}

const changed = (from: string, to: string) => {
  expect(GOOD).toContain(from);
  return GOOD.replace(from, to);
};

describe('a federation file', () => {
  it('is read with its defaults, and with the environment in its values', () => {
    expect(parseFederation(GOOD, { BUS: 'Endpoint=sb://x' })).toEqual({
      name: 'lake',
      account: { name: 'contosolake', marginSeconds: 20, hierarchical: false },
      sources: {
        serviceBus: { queue: 'isthmus-events', connectionString: 'Endpoint=sb://x' },
        changeFeed: { pollSeconds: 1, settleSeconds: 300, lagLimitSeconds: 600 },
      },
      sinks: { gpu: { kind: 'fileView', root: '/mnt/vast/lake' } },
      rules: [{ prefix: 'training/', authority: 'blob', sink: 'gpu' }],
      reconcile: {
        stop: { percent: 1, names: 1_000 },
        looksPerSecond: 2_000,
        looksPerRun: 1_000_000,
        sinksEveryHours: 24,
        driftLimit: 1_000,
      },
      retention: { tombstonesDays: 30, journalDays: 30, runsDays: 90 },
    });
  });

  it('may take triggers from an event hub, from a queue, or from both', () => {
    const hub = '  eventHubs:\n    eventHub: events\n    namespace: contoso.servicebus.windows.net\n';
    const both = parseFederation(changed('sources:\n', `sources:\n${hub}`), { BUS: 'Endpoint=sb://x' });
    expect(Object.keys(both.sources)).toEqual(['serviceBus', 'eventHubs', 'changeFeed']);
    expect(both.sources.eventHubs).toEqual({
      eventHub: 'events',
      namespace: 'contoso.servicebus.windows.net',
      consumerGroup: '$Default',
      readers: 2,
    });
  });

  it('may have a rule for the whole account', () => {
    const { rules } = parseFederation(changed('prefix: training/', "prefix: ''"), { BUS: 'Endpoint=sb://x' });
    expect(rules[0]?.prefix).toBe('');
  });

  it('of an account with a hierarchical namespace names no feed, which Azure does not write for it', () => {
    const text = changed('  name: contosolake', '  name: contosolake\n  hierarchical: true');
    expect(problemsOf(text)).toContain(
      'sources.changeFeed: cannot be named with account.hierarchical: Azure writes no Change Feed for such an account',
    );
    const { account } = parseFederation(text.replace('  changeFeed: {}\n', ''), { BUS: 'Endpoint=sb://x' });
    expect(account.hierarchical).toBe(true);
  });

  it.each([
    [
      'a misspelt key',
      changed('  changeFeed:', '  changefeed:'),
      "8:3 sources: 'changefeed' is not known; did you mean 'changeFeed'?",
    ],
    [
      'a misspelt key inside a list',
      changed('    authority:', '    autority:'),
      "15:5 rules[0]: 'autority' is not known; did you mean 'authority'?",
    ],
    ['a missing key', changed('    kind: fileView\n', ''), "11:5 sinks.gpu.kind: is missing; it must be 'fileView'"],
    [
      'a wrong value',
      changed('authority: blob', 'authority: azure'),
      "15:16 rules[0].authority: \"azure\" must be one of 'blob', 'vast'",
    ],
    [
      'a wrong type',
      changed('changeFeed: {}', 'changeFeed: { pollSeconds: often }'),
      '8:30 sources.changeFeed.pollSeconds: "often" must be a number',
    ],
    [
      'a number out of bounds',
      changed('changeFeed: {}', 'changeFeed: { pollSeconds: 0 }'),
      '8:30 sources.changeFeed.pollSeconds: 0 must be at least 0.1',
    ],
    [
      'a poll that comes too seldom',
      changed('changeFeed: {}', 'changeFeed: { pollSeconds: 61 }'),
      '8:30 sources.changeFeed.pollSeconds: 61 must be at most 60',
    ],
    ['a rule for half a name', changed('training/', 'training'), '14:13 rules[0].prefix: "training" names no blob'],
    [
      'a rule to no sink',
      changed('    sink: gpu', '    sink: gpi'),
      '16:11 rules[0].sink: "gpi" is none of the sinks; did you mean \'gpu\'?',
    ],
    [
      'a prefix that is there twice',
      `${GOOD}  - { prefix: training/, authority: vast, sink: gpu }\n`,
      '17:15 rules[1].prefix: "training/" is there twice: rule 1 has it already',
    ],
    [
      'a queue with two addresses',
      changed('    queue:', '    namespace: x\n    queue:'),
      '6:5 sources.serviceBus: must have exactly one of connectionString and namespace',
    ],
    [
      'an event hub without an address',
      changed('sources:\n', 'sources:\n  eventHubs:\n    eventHub: events\n'),
      '6:5 sources.eventHubs: must have exactly one of connectionString and namespace',
    ],
    [
      'a canary in a container that cannot be',
      changed('changeFeed: {}', 'canary: { container: Lake }'),
      '8:24 sources.canary.container: "Lake" cannot hold the canary, whose name \'Lake/.isthmus/canary-lake\' does not start',
    ],
    [
      'a canary that is a rule of its own',
      changed('changeFeed: {}', 'canary: { container: lake }').replace('training/', 'lake/.isthmus/canary-lake'),
      '8:24 sources.canary.container: "lake" cannot hold the canary, whose name \'lake/.isthmus/canary-lake\' is a rule',
    ],
    [
      'a canary whose trigger nothing brings',
      changed(
        `  serviceBus:\n    queue: isthmus-events\n    connectionString: \${BUS}\n  changeFeed: {}`,
        '  canary: { container: lake }',
      ),
      '5:11 sources.canary: has no trigger to wait for',
    ],
    ['a sink with an impossible name', changed('  gpu:\n', '  GPU:\n'), "10:3 sinks.GPU: 'GPU' must be a sink's name"],
    ['broken YAML', changed('rules:\n', 'rules: [\n'), '14:3 '],
    ['a file that is no map', '- a\n', '1:1 must be a map'],
    ['an empty file', '', '1:1 name: is missing'],
  ])('with %s is refused with line and column', (_, text, expected) => {
    expect(problemsOf(text)).toContain(`\n  ${expected}`);
  });

  it('names a variable that is not set, where it is used', () => {
    expect(problemsOf(GOOD, {})).toContain(`7:23 \${BUS} is not set in the environment`);
  });

  it('tells of every problem at once, in the order of the file', () => {
    const text = changed('name: lake', 'name: LAKE').replace('authority: blob', 'authority: blub');
    expect(
      problemsOf(text)
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(' ')[0]),
    ).toEqual(['1:7', '15:16']);
  });

  it('tells of a rule to no sink where other things are wrong as well, near the name that was meant', () => {
    const text = changed('name: lake', 'nome: lake')
      .replace('authority: blob', 'authority: blub')
      .replace('    sink: gpu', '    sink: gpi\n  - prefix: training/\n    authority: blob\n    sink: gpu');
    expect(
      problemsOf(text)
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
    ).toEqual([
      expect.stringMatching(/^1:1 name: is missing/),
      expect.stringMatching(/^1:1 'nome' is not known; did you mean 'name'\?/),
      expect.stringMatching(/^15:16 rules\[0\]\.authority: "blub" must be one of/),
      '16:11 rules[0].sink: "gpi" is none of the sinks; did you mean \'gpu\'?',
      expect.stringMatching(/^17:13 rules\[1\]\.prefix: .* is there twice/),
    ]);
  });

  it.each([
    [
      'a feed of an account with a hierarchical namespace',
      changed('  name: contosolake', '  name: contosolake\n  hierarchical: true\n  marginSeconds: -1'),
      ['5:18 account.marginSeconds:', '10:15 sources.changeFeed:'],
    ],
    [
      'a canary whose trigger nothing brings',
      changed('name: lake', 'name: LAKE')
        .replace(/ {2}serviceBus:\n.*\n.*\n/, '  canary: { container: lake }\n')
        .replace('changeFeed: {}', 'changeFeed: { pollSeconds: 0 }'),
      ['1:7 name:', '5:11 sources.canary:', '6:30 sources.changeFeed.pollSeconds:'],
    ],
    [
      'a canary in a container that cannot be',
      changed('  name: contosolake', '  name: contosolake\n  marginSeconds: -1').replace(
        'changeFeed: {}',
        'canary: { container: Lake }',
      ),
      ['4:18 account.marginSeconds:', '9:24 sources.canary.container:'],
    ],
  ])('with %s is told of that where other things are wrong as well', (_, text, expected) => {
    const told = problemsOf(text).split('\n').slice(1);
    expect(told.map((line) => line.trim().split(' ', 2).join(' '))).toEqual(expected);
  });

  it.each([
    ['a sink with an impossible name', changed('  gpu:\n', '  GPU:\n').replace('sink: gpu', 'sink: GPU')],
    ['a sink with a wrong value', changed('    kind: fileView\n', '')],
    ['no sinks', changed(SINKS, '')],
    ['sinks that are no map', changed(SINKS, 'sinks: gpu\n')],
    ['a rule that is no map', `${GOOD}  - training/\n`],
    [
      'rules that are no list',
      changed('rules:\n  - prefix: training/\n    authority: blob\n    sink: gpu\n', 'rules: all\n'),
    ],
    [
      'a canary beside a misspelt queue',
      changed('  serviceBus:', '  servicebus:').replace('changeFeed: {}', 'canary: { container: lake }'),
    ],
    [
      'a canary beside an impossible name',
      changed('name: lake', 'name: La/../ke').replace('changeFeed: {}', 'canary: { container: lake }'),
    ],
  ])('with %s is told of that alone, and not of what follows from it', (_, text) => {
    expect(problemsOf(text).split('\n')).toHaveLength(2);
  });

  it('never shows what a variable or a connection string holds', () => {
    const fromEnv = problemsOf(changed('queue: isthmus-events', `queue: \${BUS:-}`).replace('root: ', 'roof: '));
    const inline = problemsOf(changed(`\${BUS}`, '[secret]'));
    expect(fromEnv + inline).not.toContain('secret');
  });

  it.each([
    ['foo', 'sources.serviceBus.connectionString', 'Endpoint=sb://NAME'],
    [
      'Endpoint=secret;SharedAccessKeyName=a;SharedAccessKey=secret',
      'sources.serviceBus.connectionString',
      'Endpoint=sb',
    ],
    ['secret', 'account.connectionString', 'AccountName=NAME;AccountKey=KEY'],
    ['AccountName=contosolake', 'account.connectionString', 'AccountName=NAME;AccountKey=KEY'],
    ['https://contosolake.blob.core.windows.net/?sig=secret', 'account.connectionString', 'SharedAccessSignature='],
    ['BlobEndpoint=secret;SharedAccessSignature=sig=secret', 'account.connectionString', 'BlobEndpoint=https://'],
  ])('with the connection string %j at %s says what one is, and not what this one holds', (text, path, expected) => {
    const account = changed('  name: contosolake', `  name: contosolake\n  connectionString: \${ACCOUNT}`);
    const sound = { BUS: 'Endpoint=sb://x', ACCOUNT: 'UseDevelopmentStorage=true' };
    const env = { ...sound, [path.startsWith('account') ? 'ACCOUNT' : 'BUS']: text };
    const problems = problemsOf(account, env);
    expect(problems).toMatch(new RegExp(`\\d+:\\d+ ${path}: .* must be .*${expected}`));
    expect(problems).not.toContain('secret');
  });

  it.each([
    'UseDevelopmentStorage=true',
    'DefaultEndpointsProtocol=https;AccountName=contosolake;AccountKey=aGVsbG8=;EndpointSuffix=core.windows.net',
    'BlobEndpoint=https://contosolake.blob.core.windows.net/;SharedAccessSignature=sv=2024-11-04&sig=abc%3D',
  ])('may have the connection string %s', (connectionString) => {
    const text = changed('  name: contosolake', `  name: contosolake\n  connectionString: ${connectionString}`);
    expect(parseFederation(text, { BUS: 'Endpoint=sb://x/' }).account.connectionString).toBe(connectionString);
  });
});
