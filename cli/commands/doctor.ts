import type { Call } from '../call.ts';
import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { findingLines, findingOutput, summaryLine, summaryOf } from '../doctor/format-finding.ts';
import { readFederation } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { progressLine } from '../progress-line.ts';
import { printable } from '../terminal.ts';

/** `isthmus doctor`: each check as soon as it is done, then the counts; exit 1 where anything is wrong. */
export async function doctor({ strict }: { readonly strict: boolean }, call: Call): Promise<ExitCode> {
  const { terminal, signal, json, env } = call;
  const federation = await readFederation(call.config, env);
  using line = progressLine(terminal);
  const onAsk = (what: string) => line.show(`asking ${printable(what)}`);
  const findings: Finding[] = [];
  for await (const finding of examine(federation, env, { signal, onAsk })) {
    findings.push(finding);
    if (json) terminal.print(JSON.stringify(findingOutput(finding)));
    else for (const each of findingLines(finding)) terminal.print(each);
  }
  const output = summaryOf(findings, strict);
  terminal.print(json ? JSON.stringify(output) : summaryLine(output));
  return output.sound ? EXIT.good : EXIT.no;
}
