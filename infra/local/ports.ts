import { createServer, type Server } from 'node:net';
import { IsthmusError } from '../../schema/errors.ts';

/** The stack's ports, all on 127.0.0.1. */
export interface StackPorts {
  /** The storage front: what Azure clients are given. */
  readonly blob: number;
  /** Azurite itself, behind the front. */
  readonly azurite: number;
  /** The front's switches for faults, and its inventory. */
  readonly control: number;
  readonly serviceBus: number;
  readonly eventHubs: number;
  readonly postgres: number;
  readonly temporal: number;
  readonly temporalUi: number;
  readonly metrics: number;
}

export type PortName = keyof StackPorts;

/** Where each service is usually found, who asks for it, and the option of `isthmus dev` that moves it. */
export const PORTS: Readonly<Record<PortName, { usual: number; who: string; option: string }>> = {
  blob: { usual: 10_000, who: 'Blob Storage', option: '--blob-port' },
  azurite: { usual: 10_100, who: 'Azurite', option: '--azurite-port' },
  control: { usual: 10_101, who: "the storage front's control", option: '--control-port' },
  serviceBus: { usual: 5672, who: 'Service Bus', option: '--service-bus-port' },
  eventHubs: { usual: 5673, who: 'Event Hubs', option: '--event-hubs-port' },
  postgres: { usual: 5432, who: 'Postgres', option: '--postgres-port' },
  temporal: { usual: 7233, who: 'Temporal', option: '--temporal-port' },
  temporalUi: { usual: 8233, who: "Temporal's UI", option: '--temporal-ui-port' },
  metrics: { usual: 9464, who: 'the metrics of the worker', option: '--metrics-port' },
};

const NAMES = Object.keys(PORTS) as PortName[];
/** Below the ports that systems hand out for outgoing connections, so that none of those takes one meanwhile. */
const FREE = { from: 15_000, to: 32_000 } as const;

/**
 * The ports of a stack: the usual ones, moved as asked, or all of them free ones.
 *
 * @throws ISTHMUS_PORT_IN_USE naming every port that is taken, who asked for it and the option that moves it.
 */
export async function choosePorts(asked: 'free' | Partial<StackPorts> = {}): Promise<StackPorts> {
  if (asked === 'free') return freePorts();
  const ports = Object.fromEntries(
    NAMES.map((name) => [name, asked[name] ?? PORTS[name].usual]),
  ) as unknown as StackPorts;
  const complaints: string[] = [];
  for (const [at, name] of NAMES.entries()) {
    const port = ports[name];
    const { who, option } = PORTS[name];
    const other = NAMES.slice(0, at).find((earlier) => ports[earlier] === port);
    if (other)
      complaints.push(`Port ${port} is asked for twice, by ${PORTS[other].who} and ${who}: move one with ${option}.`);
    else if (!(await isFree(port))) {
      complaints.push(
        `Port ${port} is in use; ${who} asked for it. Stop what listens there, or choose another with ${option} PORT.`,
      );
    }
  }
  if (complaints.length > 0) throw new IsthmusError('ISTHMUS_PORT_IN_USE', complaints.join('\n'));
  return ports;
}

async function freePorts(): Promise<StackPorts> {
  const held: Server[] = [];
  try {
    const found: [PortName, number][] = [];
    for (const name of NAMES) {
      for (;;) {
        const port = FREE.from + Math.floor(Math.random() * (FREE.to - FREE.from));
        const server = await hold(port);
        if (!server) continue;
        held.push(server);
        found.push([name, port]);
        break;
      }
    }
    return Object.fromEntries(found) as unknown as StackPorts;
  } finally {
    await Promise.all(held.map(release));
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = await hold(port);
  if (server) await release(server);
  return server !== undefined;
}

function hold(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function release(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
