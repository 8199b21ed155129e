/** One thing that is wrong in a federation file, and where. */
export interface Problem {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `rules[0].sink`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
}

/** `12:5 rules[0].sink: ...`, one line for each problem, in the file's order. */
export function formatProblems(problems: readonly Problem[]): string {
  return [...problems]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, path, message }) => `  ${line}:${column} ${path === '' ? '' : `${path}: `}${message}`)
    .join('\n');
}

export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}
