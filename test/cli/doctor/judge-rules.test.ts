import { describe, expect, it } from 'vitest';
import { judgeRules } from '../../../cli/doctor/judge-rules.ts';
import type { Rule } from '../../../namespace/rule.ts';

const rule = (prefix: string, authority: Rule['authority'] = 'blob'): Rule => ({ prefix, authority, sink: 'gpu' });
const judge = (file: readonly Rule[], live: readonly Rule[], margin = 20_000) => {
  const account = { name: 'contoso', marginSeconds: 20 };
  return judgeRules(
    { name: 'lake', account, rules: [...file] },
    { account: { margin }, rules: { revision: 7, rules: live } },
  );
};

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

  it('that no worker has read yet is not known', () => {
    expect(
      judgeRules({ name: 'lake', account: { name: 'contoso', marginSeconds: 20 }, rules: [] }, undefined).outcome,
    ).toBe('unknown');
  });
});
