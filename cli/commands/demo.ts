import type { Transport } from '../../infra/local/services-options.ts';
import type { DemoOutput } from '../../schema/outputs/demo.ts';
import type { Call } from '../call.ts';
import { runDemo } from '../demo/demo.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatTable } from '../format.ts';

/** `isthmus demo`: with `--json` the summary is the last line. */
export async function demo(
  on: { readonly triggers: Transport; readonly hierarchical: boolean },
  call: Call,
): Promise<ExitCode> {
  const summary = await runDemo({ ...on, json: call.json, signal: call.signal });
  const steps = summary.steps.map(({ figures, ...step }) => ({ ...step, figures: { ...figures } }));
  const output: DemoOutput = { ...summary, steps };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else {
    for (const { title, seconds, figures } of summary.steps) {
      call.terminal.print(`\n${title} (${seconds} s)`);
      call.terminal.print(formatTable(Object.entries(figures).map(([name, value]) => [`  ${name}`, String(value)])));
    }
    call.terminal.print(
      `\nThe whole story took ${summary.seconds} s. ${summary.ok ? 'Everything came out as it must.' : ''}`,
    );
  }
  return summary.ok ? EXIT.good : EXIT.no;
}
