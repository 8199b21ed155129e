import type { Key } from '../../namespace/key.ts';
import type { NewFinding } from '../../schema/index/findings.ts';
import { type PartialVersion, seenVersion } from './finding-of.ts';

/** A name that a judge lists and the index cannot hold. Nothing mends it but another name. */
export function unstorableFinding({ container, name }: Key, judge: PartialVersion): NewFinding {
  const evidence = { judge: seenVersion(judge) };
  return { container, name, difference: 'not-indexed', cause: 'unstorable-name', state: 'open', evidence };
}
