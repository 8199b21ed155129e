import type { Terminal } from '../../cli/terminal.ts';

export interface RecordingTerminal extends Terminal {
  readonly printed: string[];
  readonly said: string[];
}

/** A terminal that nobody watches and that forgets nothing. */
export function recordingTerminal(): RecordingTerminal {
  const printed: string[] = [];
  const said: string[] = [];
  return {
    interactive: false,
    printed,
    said,
    print: (line) => printed.push(line),
    write: async (text) => {
      printed.push(...text.split('\n').slice(0, -1));
    },
    say: (line) => said.push(line),
  };
}
