import { once } from 'node:events';

/** The two streams of a command: answers on standard output, everything else on standard error. */
export interface Terminal {
  /** Whether people are watching: progress is drawn only then. */
  readonly interactive: boolean;
  /** One line of the answer. */
  print(line: string): void;
  /** A part of the answer as it is, whole lines; resolves when more may come, so that a slow reader is waited for. */
  write(text: string): Promise<void>;
  /** One line for people, beside the answer. */
  say(line: string): void;
}

export const terminal: Terminal = {
  interactive: process.stderr.isTTY === true,
  print(line) {
    process.stdout.write(`${line}\n`);
  },
  async write(text) {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  },
  say(line) {
    process.stderr.write(`${line}\n`);
  },
};

/** Names come from outside: control characters in them must not reach a terminal. */
export function printable(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
