import { recentSeenRuns } from '../../schema/index/run-standing.ts';
import type { DriftTrendOutput } from '../../schema/outputs/drift.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openAccount } from '../open-account.ts';
import { runOutputs } from './drift-output.ts';
import { formatTrend } from './format-drift.ts';

/** `isthmus drift --trend [N]`: the newest runs, with what each found. */
export async function trendOfDrift(runs: number, call: Call): Promise<ExitCode> {
  await using open = await openAccount(call);
  const recent = await recentSeenRuns(open.index.db, open.account.id, runs);
  const output: DriftTrendOutput = { runs: await runOutputs(open.index.db, recent) };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatTrend(output)) call.terminal.print(line);
  return EXIT.good;
}
