import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { IsthmusError } from '../errors.ts';
import { type Federation, federationSchema } from './federation.ts';
import { interpolate } from './interpolate.ts';
import { knownKeys } from './known-keys.ts';
import { nearest } from './nearest.ts';
import { formatPath, formatProblems, type Problem } from './problem.ts';

/** Values under these keys may hold secrets and are never printed. */
const SECRET = /connectionString|url$/i;

/**
 * Parses a federation's YAML; `${NAME}` in a value is the environment's.
 *
 * @throws IsthmusError `ISTHMUS_CONFIG` with every problem in the file, each with line and column.
 */
export function parseFederation(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  file = 'federation.yaml',
): Federation {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refuse = (problems: readonly Problem[]): never => {
    throw new IsthmusError('ISTHMUS_CONFIG', `${file} is not a federation:\n${formatProblems(problems)}`);
  };

  if (document.errors.length > 0) {
    refuse(document.errors.map((error) => ({ ...place(error.pos[0]), path: '', message: error.message })));
  }

  const written = new Map<Node, string>();
  const problems: Problem[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      const source = node.value;
      const result = interpolate(source, env);
      if (result.text !== source) written.set(node, source);
      node.value = result.text;
      for (const name of result.missing) {
        const message = `\${${name}} is not set in the environment; set it, or write \${${name}:-DEFAULT}`;
        problems.push({ ...place(node.range?.[0] ?? 0), path: '', message });
      }
    },
  });
  if (problems.length > 0) refuse(problems);

  const parsed = federationSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  return refuse(parsed.error.issues.flatMap((issue) => explain(issue, document, written, place)));
}

function explain(
  issue: z.core.$ZodIssue,
  document: Document,
  written: ReadonlyMap<Node, string>,
  place: (offset: number) => { line: number; column: number },
): readonly Problem[] {
  const path = formatPath(issue.path);
  const at = nodeAt(document, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(federationSchema, issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean '${near}'?`;
      return { ...place(keyOffset(at.node, key)), path, message: `'${key}' is not known; ${hint}` };
    });
  }
  const offset = place(at.node?.range?.[0] ?? 0);
  if (issue.code === 'invalid_key') {
    const expected = issue.issues.map(({ message }) => message).join(', ');
    const key = String(issue.path.at(-1));
    return [
      {
        ...place(keyOffset(nodeAt(document, issue.path.slice(0, -1)).node, key)),
        path,
        message: `'${key}' must ${expected}`,
      },
    ];
  }
  if (!at.found) return [{ ...offset, path, message: `is missing; it ${complaint(issue)}` }];
  return [{ ...offset, path, message: `${shown(at.node, written, issue.path)}${complaint(issue)}` }];
}

/** What is wrong, to be read after the value. */
function complaint(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'custom':
      return issue.message;
    case 'invalid_type':
      return `must be a ${issue.expected === 'object' || issue.expected === 'record' ? 'map' : issue.expected === 'array' ? 'list' : issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map((value) => `'${String(value)}'`).join(', ')}`;
    case 'too_big':
      return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      return issue.origin === 'array'
        ? 'must hold at least one'
        : `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    default:
      return `must ${issue.message}`;
  }
}

/** The value as the file has it, before the environment was put in. */
function shown(node: Node | undefined, written: ReadonlyMap<Node, string>, path: readonly PropertyKey[]): string {
  if (!isScalar(node)) return '';
  const before = written.get(node);
  if (before === undefined && SECRET.test(String(path.at(-1) ?? ''))) return '(not shown) ';
  return `${JSON.stringify(before ?? node.value)} `;
}

/** The node at a path, or the nearest one above it where the file ends earlier. */
function nodeAt(document: Document, path: readonly PropertyKey[]): { node: Node | undefined; found: boolean } {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return { node, found: length === path.length };
  }
  return { node: document.contents ?? undefined, found: path.length === 0 };
}

function keyOffset(node: Node | undefined, key: string): number {
  if (!isMap(node)) return node?.range?.[0] ?? 0;
  const pair = node.items.find((item) => (isScalar(item.key) ? item.key.value : item.key) === key);
  return isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : (node.range?.[0] ?? 0);
}
