/**
 * Columns as Postgres array literals, for `unnest`. One text per column costs a third of what the driver's own
 * array encoding does: a page of 5,000 rows has 25 of them.
 */
export function textArray(values: readonly (string | null | undefined)[]): string {
  let literal = '{';
  for (const [at, value] of values.entries()) {
    if (at > 0) literal += ',';
    literal += value === null || value === undefined ? 'NULL' : quoted(value);
  }
  return `${literal}}`;
}

/** Numbers, booleans, and texts that need no quotes (hex, enum labels); null and undefined become NULL. */
export function plainArray(values: readonly (string | number | boolean | null | undefined)[]): string {
  let literal = '{';
  for (const [at, value] of values.entries()) {
    if (at > 0) literal += ',';
    literal += value ?? 'NULL';
  }
  return `${literal}}`;
}

function quoted(value: string): string {
  return /["\\]/.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : `"${value}"`;
}
