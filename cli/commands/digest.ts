import { digestEntries } from '../../schema/index/queries.ts';
import type { DigestOutput } from '../../schema/outputs/digest.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openAccount } from '../open-account.ts';

/** `isthmus digest [PREFIX]`: one JSON object, with `--json` or without. */
export async function digest(prefix: string, call: Call): Promise<ExitCode> {
  await using open = await openAccount(call);
  const { entries, bytes, sha256 } = await digestEntries(open.index, open.account.id, prefix);
  const output: DigestOutput = { entries, bytes, sha256 };
  call.terminal.print(JSON.stringify(output));
  return EXIT.good;
}
