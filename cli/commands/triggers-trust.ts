import { type TrustOutcome, trustTriggers } from '../../schema/index/trigger-trust.ts';
import type { TriggersTrustOutput } from '../../schema/outputs/triggers-trust.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openAccount } from '../open-account.ts';

const SAID: Readonly<Record<TrustOutcome, string>> = {
  trusted: 'Triggers are applied again, and compared with the feed anew.',
  'trusted-already': 'Triggers are trusted: there is nothing to do.',
  'reread-wanted':
    'The feed has not been set back to before the first trigger yet: let its tail run (`isthmus status` says why it does not), then ask again.',
};

/** `isthmus triggers trust`: an operator's word that triggers and feed print the same sequencers again. */
export async function triggersTrust({ reason }: { readonly reason: string }, call: Call): Promise<ExitCode> {
  await using open = await openAccount(call);
  const outcome = await trustTriggers(open.index, open.account.id, reason);
  const output: TriggersTrustOutput = { outcome };
  call.terminal.print(call.json ? JSON.stringify(output) : SAID[outcome]);
  return outcome === 'reread-wanted' ? EXIT.no : EXIT.good;
}
