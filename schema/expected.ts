import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
/** A stranger's value is told in part: it may be of any length. */
const SHOWN = 60;

/** What is wrong with the JSON that somebody else wrote, one for each field: `data.api: expected a text, found nothing`. */
export function problemsOf({ issues }: z.ZodError, value: unknown, at = ''): readonly string[] {
  return issues.map((issue) => {
    const path = [at, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    const problem =
      issue.code === 'custom' ? issue.message : `expected ${expected(issue)}, found ${found(value, issue.path)}`;
    return path === '' ? problem : `${path}: ${problem}`;
  });
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map((each) => JSON.stringify(each)).join(' or ');
    case 'invalid_format':
      return issue.format === 'datetime' ? 'a time of ISO 8601 with its zone' : `a text of the form ${issue.format}`;
    case 'invalid_union':
      return [...new Set(issue.errors.flatMap(([first]) => (first === undefined ? [] : [expected(first)])))].join(
        ' or ',
      );
    case 'too_small':
      return issue.origin === 'string' ? 'a text that is not empty' : `at least ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function found(value: unknown, path: readonly PropertyKey[]): string {
  const at = path.reduce<unknown>(
    (inner, part) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, part) : undefined),
    value,
  );
  if (at === undefined) return 'nothing';
  if (typeof at === 'object' && at !== null) return Array.isArray(at) ? 'a list' : 'an object';
  const text = JSON.stringify(at) ?? typeof at;
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}
