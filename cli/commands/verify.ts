import { blobService } from '../../activities/azure/blob-service.ts';
import { AzureBlobSource } from '../../activities/azure/blob-source.ts';
import { openSinks } from '../../activities/open-services.ts';
import { counted } from '../../schema/counted.ts';
import type { VerifyDifference, VerifyOutput } from '../../schema/outputs/verify.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openAccount } from '../open-account.ts';
import { progressLine } from '../progress-line.ts';
import { printable } from '../terminal.ts';
import type { Difference, Version } from '../verify/difference.ts';
import { formatVerified } from '../verify/format-verified.ts';
import { verifyNamespace } from '../verify/verify.ts';

/** `isthmus verify [PREFIX]`: prints the differences as they are found, then the counts; exit 1 where there is a difference. */
export async function verify(prefix: string, call: Call): Promise<ExitCode> {
  const { terminal, signal, json } = call;
  await using open = await openAccount(call);
  const { index, account, federation } = open;
  const blobs = new AzureBlobSource(blobService(federation.account), federation.account);
  using line = progressLine(terminal);
  const comparing = verifyNamespace({ index, account, blobs, sinks: openSinks(federation, open) }, prefix, {
    signal,
    onProgress: ({ doing, names }) => line.show(`${doing}: ${counted(names, 'name')}`),
  });
  for (;;) {
    const next = await comparing.next();
    if (next.done !== true) {
      terminal.print(json ? JSON.stringify(outputOf(next.value)) : lineOf(next.value));
      continue;
    }
    const { source, index: indexed, sink, differences, shadowed, unrepresentable } = next.value;
    const agree = differences === 0;
    const output: VerifyOutput = { agree, source, index: indexed, sink, differences, shadowed, unrepresentable };
    if (json) terminal.print(JSON.stringify(output));
    else for (const text of formatVerified(next.value)) terminal.print(text);
    return agree ? EXIT.good : EXIT.no;
  }
}

function outputOf({ key, source, index, sink, apart, what }: Difference): VerifyDifference {
  const version = (side: Version | undefined) => (side === undefined ? null : { etag: side.etag, bytes: side.length });
  return {
    container: key.container,
    name: key.name,
    source: version(source),
    index: version(index),
    sink: version(sink),
    apart,
    what,
  };
}

function lineOf({ key, apart, what }: Difference): string {
  return `${apart ? 'apart ' : 'DIFFER'}  ${printable(`${key.container}/${key.name}`)}: ${printable(what)}`;
}
