import { describe, expect, it } from 'vitest';
import { judgeRules } from '../../../cli/doctor/judge-rules.ts';
import type { Rule } from '../../../namespace/rule.ts';

const rule = (prefix: string, authority: Rule['authority'] = 'blob'): Rule => ({ prefix, authority, sink: 'gpu' });
const account = { name: 'contoso', marginSeconds: 20 };
const sinks = { gpu: { kind: 'fileView', root: '/mnt/vast/lake' } } as const;
const judge = (file: readonly Rule[], live: readonly Rule[], margin = 20_000, roots = [['gpu', '/mnt/vast/lake']]) =>
  judgeRules(
    { name: 'lake', account, sinks, rules: [...file] },
    { account: { margin }, rules: { revision: 7, rules: live }, roots: new Map(roots as [string, string][]) },
  );

describe('the federation file', () => {
  it('that is live is good', () => {
    expect(judge([rule('a/'), rule('b/')], [rule('a/'), rule('b/')])).toMatchObject({ outcome: 'good' });
  });

  it.each([
    [[rule('a/')], [rule('a/'), rule('b/')], "'b/'"],
    [[rule('a/'), rule('c/')], [rule('a/')], "'c/'"],
    [[rule('a/', 'vast')], [rule('a/')], "'a/'"],
    [[rule('a/'), rule('b/')], [rule('b/'), rule('a/')], 'in their order'],
  ])('that has other rules is warned of, with where', (file, live, where) => {
    const found = judge(file, live);
    expect(found).toMatchObject({ outcome: 'warning', says: expect.stringContaining(where) });
    expect(found.mend).toContain('Restart');
  });

  it('that has another margin is warned of', () => {
    expect(judge([rule('a/')], [rule('a/')], 3_000)).toMatchObject({
      outcome: 'warning',
      says: expect.stringMatching(/20.* 3$/),
    });
  });

  it('that has another root of a sink is warned of, and not where no worker has told its own', () => {
    const found = judge([rule('a/')], [rule('a/')], 20_000, [['gpu', '/mnt/old']]);
    expect(found).toMatchObject({
      outcome: 'warning',
      says: 'sinks.gpu.root of the file is /mnt/vast/lake, of the workers /mnt/old',
      mend: expect.stringContaining('Restart'),
    });
    expect(judge([rule('a/')], [rule('a/')], 20_000, []).outcome).toBe('good');
  });

  it('that has other rules, another margin and other roots is warned of all of them', () => {
    const roots = { gpu: '/mnt/a', cpu: '/mnt/b', tpu: '/mnt/c' };
    const file = Object.fromEntries(
      Object.entries(roots).map(([sink, root]) => [sink, { kind: 'fileView' as const, root }]),
    );
    const found = judgeRules(
      { name: 'lake', account, sinks: file, rules: [rule('a/')] },
      {
        account: { margin: 3_000 },
        rules: { revision: 7, rules: [rule('b/')] },
        roots: new Map([...Object.keys(roots).map((sink) => [sink, '/mnt/old'] as const), ['tpu', '/mnt/c']]),
      },
    );
    expect(found).toMatchObject({ outcome: 'warning', mend: expect.stringContaining('Restart') });
    expect(found.says.split('; ')).toEqual([
      "the rules of the file differ from the live ones (revision 7) at 'a/', 'b/'",
      'account.marginSeconds of the file is 20, of the workers 3',
      'sinks.gpu.root of the file is /mnt/a, of the workers /mnt/old',
      'sinks.cpu.root of the file is /mnt/b, of the workers /mnt/old',
    ]);
  });

  it('that no worker has read yet is not known', () => {
    expect(judgeRules({ name: 'lake', account, sinks, rules: [] }, undefined).outcome).toBe('unknown');
  });
});
