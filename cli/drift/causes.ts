import { CAUSE_NAMES, CAUSES } from '../../schema/drift/cause.ts';
import type { DriftCause } from '../../schema/outputs/drift.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatTable } from '../format.ts';

/** `isthmus drift causes`: the closed list, with what each says. */
export async function listCauses(call: Call): Promise<ExitCode> {
  const causes: readonly DriftCause[] = CAUSE_NAMES.map((cause) => ({ cause, ...CAUSES[cause] }));
  if (call.json) for (const cause of causes) call.terminal.print(JSON.stringify(cause));
  else call.terminal.print(formatTable(causes.map(rowOf)));
  return EXIT.good;
}

function rowOf({ cause, of, drift, meaning }: DriftCause): readonly string[] {
  return [cause, of, drift ? 'drift' : 'no drift', meaning];
}
