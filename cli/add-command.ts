import type { Command, CommandOptions } from 'commander';
import type { Call } from './call.ts';
import type { ExitCode } from './exit-codes.ts';
import { type CommonOptions, runCommand } from './run.ts';
import type { Terminal } from './terminal.ts';

/** What every command is made with, so that all have the same options, help and way to end. */
export interface AddCommand {
  /** Adds a command with the options that all have; `examples` are written without the command's own name. */
  add(
    parent: Command,
    name: string,
    description: string,
    examples: readonly string[],
    options?: CommandOptions,
  ): Command;
  asJson(command: Command): Command;
  run(options: CommonOptions, command: (call: Call) => Promise<ExitCode>): Promise<void>;
}

export function addCommand(terminal: Terminal, finish: (code: ExitCode) => void): AddCommand {
  return {
    add: (parent, name, description, examples, options) =>
      parent
        .command(name, options)
        .description(description)
        .option('--config <file>', 'the federation file (default: ISTHMUS_CONFIG, or that of `isthmus dev`)')
        .addHelpText('after', examplesText(examples)),
    asJson: (command) => command.option('--json', 'print JSON; its schema is in schema/outputs'),
    run: async (options, command) => finish(await runCommand(terminal, options, command)),
  };
}

export function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((line) => `  $ ${asTyped(line)}`).join('\n')}`;
}

/** An example is written without the command's own name, unless variables stand before it. */
function asTyped(example: string): string {
  return /^[A-Z_]+=/.test(example) ? example : `isthmus ${example}`;
}
