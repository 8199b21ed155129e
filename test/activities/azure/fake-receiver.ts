import {
  type ProcessErrorArgs,
  type ServiceBusClient,
  ServiceBusError,
  type ServiceBusReceivedMessage,
} from '@azure/service-bus';

/** What a peek of the queue tells, whoever holds it. */
export interface Peeked {
  oldest?: Date;
}

/** Azure's client as far as the queue uses it: receivers that hear what the test lets them hear. */
export function fakeClient(peeked: Peeked) {
  const receivers: FakeReceiver[] = [];
  const client = {
    createReceiver() {
      const receiver = new FakeReceiver(peeked);
      receivers.push(receiver);
      return receiver;
    },
    close: async () => {},
  };
  return { client: client as unknown as ServiceBusClient, receivers };
}

type ProcessMessage = (message: ServiceBusReceivedMessage) => Promise<void>;
type ProcessError = (args: ProcessErrorArgs) => Promise<void>;

export class FakeReceiver {
  closed = false;
  completed = 0;
  /** As where its link was lost: the client waits for an answer for as long as it is told to, and tries again. */
  answers = true;
  readonly #peeked: Peeked;
  /** Messages that the client has asked for and that have not come. */
  credit = 0;
  /** Of these the lock has ended, which is told at the next renewal. */
  readonly lost = new Set<ServiceBusReceivedMessage>();
  #ahead = 0;
  #take: ProcessMessage = async () => {};
  #tell: ProcessError = async () => {};

  constructor(peeked: Peeked) {
    this.#peeked = peeked;
  }

  subscribe(
    { processMessage, processError }: { processMessage: ProcessMessage; processError: ProcessError },
    { maxConcurrentCalls }: { maxConcurrentCalls: number },
  ) {
    this.#ahead = maxConcurrentCalls;
    this.credit += maxConcurrentCalls;
    this.#take = processMessage;
    this.#tell = processError;
    return { close: async () => {} };
  }

  /** As the client tells what has happened to its link, whether or not it goes on by itself. */
  async fail(code: 'MessagingEntityNotFound' | 'ServiceCommunicationProblem'): Promise<void> {
    const error = new ServiceBusError(`told by the test: ${code}`, code);
    error.retryable = code === 'ServiceCommunicationProblem';
    await this.#tell({ error, errorSource: 'receive', entityPath: 'q', fullyQualifiedNamespace: 'n', identifier: 'i' });
  }

  /** As the client does it where its link was lost: what it had asked for is void, and it asks for as much as at first. */
  rebuild(): void {
    this.credit = this.#ahead;
  }

  hear(count: number, body: string | Buffer = 'x'): void {
    for (let at = 0; at < count; at++) {
      const message = { messageId: `id-${at}`, body, lockedUntilUtc: new Date(Date.now() + 60_000) };
      this.credit--;
      // The client asks for one more where its handler has ended.
      void this.#take(message as never).then(() => {
        this.credit++;
      });
    }
  }

  /** As a queue that has messages without end: all that the client asks for, until it asks for none. @returns how many. */
  async hearAll(body: string | Buffer): Promise<number> {
    let heard = 0;
    for (; this.credit > 0; heard++) {
      this.hear(1, body);
      await Promise.resolve();
      await Promise.resolve();
    }
    return heard;
  }

  async completeMessage(): Promise<void> {
    if (!this.answers) await new Promise(() => {});
    this.completed++;
  }

  async renewMessageLock(message: ServiceBusReceivedMessage): Promise<Date> {
    if (this.lost.has(message)) throw new ServiceBusError('told by the test', 'MessageLockLost');
    return new Date(Date.now() + 60_000);
  }

  async peekMessages() {
    const { oldest } = this.#peeked;
    return oldest === undefined ? [] : [{ enqueuedTimeUtc: oldest }];
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
