/** What was given, once it is known to be right; else what is wrong with it, in a sentence for people. */
export type Checked<Value> = { readonly value: Value } | { readonly problem: string };

/** What one field of a JSON object must hold. */
export interface Field {
  /** Completes "expected ...". */
  readonly expected: string;
  readonly optional?: boolean;
  holds(value: unknown): boolean;
}

/** In whose words a problem is told: of a JSON object that a person typed, or of a command that was. */
export interface Words {
  /** What takes the input: `rewind`, `isthmus feed rewind`. */
  readonly what: string;
  readonly example: string;
  /** How a field is typed: `"reason"`, `--reason`. */
  readonly name: (field: string) => string;
}

/** @param what the name of what takes it: `rewind`. */
export function inJson(what: string, example: object): Words {
  return { what, example: JSON.stringify(example), name: (field) => `"${field}"` };
}

/**
 * Checks a small JSON object that a person typed: the message names the field, what it holds, what was expected,
 * and gives an example. By hand, as a schema library in the workflow bundle would be workflow code whose next
 * version must replay as this one does.
 */
export function checkFields(words: Words, input: unknown, fields: Readonly<Record<string, Field>>): string | undefined {
  const problem = fieldProblem(words, input, fields);
  return problem === undefined ? undefined : withExample(problem, words);
}

export function withExample(problem: string, { example }: Pick<Words, 'example'>): string {
  return `${problem} Example: ${example}`;
}

function fieldProblem(words: Words, input: unknown, fields: Readonly<Record<string, Field>>): string | undefined {
  const { what } = words;
  if (!isObject(input)) return `${what} takes one JSON object, but was given ${shown(input)}.`;
  const stranger = Object.keys(input).find((name) => !Object.hasOwn(fields, name));
  if (stranger !== undefined) {
    const known = Object.keys(fields).filter((name) => fields[name] !== internal);
    return `${what} has no field "${stranger}". Its fields: ${known.join(', ')}.`;
  }
  for (const [field, { expected, optional, holds }] of Object.entries(fields)) {
    const value = input[field];
    const name = words.name(field);
    if (value === undefined) {
      if (optional !== true) return `${what} needs ${name}: expected ${expected}.`;
    } else if (!holds(value)) return `${what}: ${name} is ${shown(value)}, but expected ${expected}.`;
  }
  return undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

/** What a workflow hands to its next run: nobody types it. */
export const internal: Field = { expected: 'what the run before left', optional: true, holds: isObject };

export function optional(field: Field): Field {
  return { ...field, optional: true };
}

export function text(expected: string): Field {
  return { expected, holds: (value) => typeof value === 'string' && value.trim() !== '' };
}

export function numberAbove0(expected: string): Field {
  return { expected, holds: (value) => typeof value === 'number' && Number.isFinite(value) && value > 0 };
}

export function wholeNumber(expected: string): Field {
  return { expected, holds: (value) => Number.isSafeInteger(value) && Number(value) >= 0 };
}

/** Of any day up to the 31st, as was taken once: for what was let in then. */
export const timeOfAnyDay: Field = {
  expected: 'a time of ISO 8601 with its zone, such as "2026-11-21T14:00:00Z"',
  holds: (value) => typeof value === 'string' && ISO_TIME.test(value) && !Number.isNaN(Date.parse(value)),
};

export const time: Field = {
  ...timeOfAnyDay,
  holds: (value) => timeOfAnyDay.holds(value) && isCalendarDay(String(value)),
};

/** Whether a time that begins `YYYY-MM-DD` names a day that its month has: `Date.parse` takes 30 February for 1 or 2 March. */
export function isCalendarDay(text: string): boolean {
  return new Date(text.slice(0, 10)).getUTCDate() === Number(text.slice(8, 10));
}

/** A day alone is its first moment, in UTC. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;
