/** A count and what is counted: `1 chunk`, `2 chunks`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
