import type { Terminal } from './terminal.ts';

/** A worker answers within a second; where none runs, nobody does. */
const PATIENCE_MS = 5_000;

/** Says on standard error what may be wrong where an answer is still waited for after five seconds; disposed of, it is silent. */
export function sayIfSlow(terminal: Terminal, text: string): Disposable {
  const timer = setTimeout(() => terminal.say(text), PATIENCE_MS);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
