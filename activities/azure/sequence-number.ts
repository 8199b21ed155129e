import type { PeekMessagesOptions } from '@azure/service-bus';

type SequenceNumber = NonNullable<PeekMessagesOptions['fromSequenceNumber']>;

/** A sequence number as the Service Bus client asks for one: it checks the mark of a `Long` and reads its bytes. */
export function sequenceNumber(sequence: bigint): SequenceNumber {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(sequence);
  return { __isLong__: true, toBytesBE: () => [...bytes] } as unknown as SequenceNumber;
}
