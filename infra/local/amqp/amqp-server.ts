import type { AddressInfo, Socket } from 'node:net';
import rhea, { type EventContext, type Receiver, type Sender } from 'rhea';
import { POLICY, POLICY_KEY } from './sas-token.ts';

/** 1 MB, as in Azure's premium tier: what Event Grid may send fits. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** A link of Azure's client never holds more than 2,047; larger here, so that an old delivery id can never meet a new one. */
const SESSION_BUFFER = 8192;

/** What a broker does with the links that clients attach. */
export interface AmqpHandlers {
  /** A client wants to receive. (It is rhea's sender: AMQP names links by this end.) */
  onReceiving(link: Sender): void;
  /** A client wants to send. */
  onSending(link: Receiver): void;
}

export interface AmqpServer {
  readonly port: number;
  /** Cuts every connection without a word, as a network does. */
  cutConnections(): void;
  /** Cuts every connection and listens no more. */
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 for Azure's own clients, which speak plain TCP to an emulator, on whatever port. */
export async function listenAmqp(port: number, handlers: AmqpHandlers): Promise<AmqpServer> {
  const container = rhea.create_container({
    sender_options: { autosettle: false, treat_modified_as_released: false },
    receiver_options: { autoaccept: false, credit_window: 2000, max_message_size: MAX_MESSAGE_BYTES },
  });
  const mechanisms = container.sasl_server_mechanisms;
  mechanisms.enable_anonymous();
  // The client's name for the same thing: the token comes over $cbs.
  mechanisms.MSSBCBS = mechanisms.ANONYMOUS;
  container.on('sender_open', (context: EventContext) => context.sender && handlers.onReceiving(context.sender));
  container.on('receiver_open', (context: EventContext) => context.receiver && handlers.onSending(context.receiver));
  // A peer that goes away, or breaks the protocol, ends its connection and nothing else.
  for (const event of [
    'disconnected',
    'connection_error',
    'session_error',
    'sender_error',
    'receiver_error',
    'error',
    'protocol_error',
  ]) {
    container.on(event, () => {});
  }
  const sockets = new Set<Socket>();
  const server = container.listen({ port, host: '127.0.0.1', session_buffer_size: SESSION_BUFFER });
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => resolve());
  });
  const cutConnections = (): void => {
    // With an error, for rhea does not hear a mere close: its dead links would go on taking messages.
    for (const socket of sockets) socket.destroy(new Error('cut'));
  };
  return {
    port: (server.address() as AddressInfo).port,
    cutConnections,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cutConnections();
      await closed;
    },
  };
}

/** What Azure's clients take for a namespace that listens here. */
export function emulatorConnectionString(port: number): string {
  return `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=${POLICY};SharedAccessKey=${POLICY_KEY};UseDevelopmentEmulator=true;`;
}
