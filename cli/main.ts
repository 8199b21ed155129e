import { CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { exitCodeOf, formatFailure } from './failure.ts';
import { createProgram } from './program.ts';
import { terminal } from './terminal.ts';

const LINGER_MS = 1_000;

/**
 * A client whose other end never answers can keep a socket for minutes after it was closed; a command that has ended
 * and said everything does not wait for it. The timer itself keeps nobody.
 */
function leaveSoon(): void {
  setTimeout(() => {
    if (process.stdout.writableLength === 0) process.exit();
    leaveSoon();
  }, LINGER_MS).unref();
}

/** Runs one command line and sets the process's exit code. Nothing is thrown: what failed is said on standard error, in one block. */
export async function main(args: readonly string[]): Promise<void> {
  // A reader that has gone (`isthmus ls | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.good);
    terminal.say(formatFailure(error));
    process.exit(EXIT.failed);
  });
  try {
    const program = createProgram(terminal, (code) => {
      process.exitCode = code;
    });
    await program.parseAsync([...args], { from: 'user' });
    leaveSoon();
  } catch (error) {
    // Commander has said what is wrong, or printed what was asked for.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.good : EXIT.wrongUse;
    else {
      terminal.say(formatFailure(error));
      process.exitCode = exitCodeOf(error);
    }
  }
}
