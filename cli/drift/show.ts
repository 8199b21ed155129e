import { formatKey, parseKey } from '../../namespace/key.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { findingsOfKey } from '../../schema/index/findings.ts';
import { readSeenRun } from '../../schema/index/run-standing.ts';
import type { DriftShowOutput } from '../../schema/outputs/drift.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openAccount } from '../open-account.ts';
import { printable } from '../terminal.ts';
import { findingOutput } from './drift-output.ts';
import { formatFinding } from './format-finding.ts';

/** `isthmus drift show CONTAINER/NAME`: exit 1 where nothing was found of it. */
export async function showDrift(text: string, limit: number, call: Call): Promise<ExitCode> {
  if (!text.includes('/')) {
    throw new IsthmusError('ISTHMUS_USAGE', `'${text}' names no blob: write CONTAINER/NAME.`);
  }
  const key = parseKey(text);
  await using open = await openAccount(call);
  const { index, account } = open;
  const found = await findingsOfKey(index.db, account.id, key, limit);
  const ids = [...new Set(found.map(({ runId }) => runId))];
  const runs = (await Promise.all(ids.map((id) => readSeenRun(index.db, account.id, id)))).filter(
    (run) => run !== undefined,
  );
  const output: DriftShowOutput = { ...key, findings: found.map((finding) => findingOutput(finding, runs)) };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else {
    for (const finding of output.findings) for (const line of formatFinding(finding)) call.terminal.print(line);
    if (found.length === 0) {
      call.terminal.print(`No run that is kept found anything of ${printable(formatKey(key))}.`);
    }
  }
  return found.length === 0 ? EXIT.no : EXIT.good;
}
