import { type Command, InvalidArgumentError, Option } from 'commander';
import { PORTS, type PortName } from '../../infra/local/ports.ts';
import { TRANSPORTS } from '../../infra/local/services-options.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import type { DevOptions } from './dev.ts';

const EXAMPLES = `
Examples:
  $ isthmus dev                               state in .isthmus/, the usual ports
  $ isthmus dev --fresh --write-env dev.env   empty, with the endpoints in a file
  $ isthmus dev --triggers event-hubs         Event Hubs in place of Service Bus
  $ isthmus dev --free-ports --state /tmp/s   beside another one`;

/** Adds `dev` to the program. `finish` is given its exit code. */
export function addDevCommand(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  const command = program
    .command('dev')
    .description(
      'run the whole system on this machine until Ctrl-C: Postgres, Temporal, Blob Storage, Service Bus or Event Hubs, a worker',
    )
    .option('--write-env <file>', 'write the endpoints as KEY=value lines, for a shell to source')
    .option('--fresh', 'start empty: remove what earlier runs kept')
    .option('--hierarchical', 'an account with a hierarchical namespace: directories, and no Change Feed')
    .addOption(
      new Option('--triggers <transport>', 'what Event Grid delivers to (default: service-bus)').choices(TRANSPORTS),
    )
    .option('--state <dir>', 'where everything is kept between runs (default: .isthmus)')
    .option('--config <file>', 'a federation file of your own')
    .option('--free-ports', 'choose free ports instead of the usual ones')
    .option('--json', 'print one JSON object when ready')
    .addHelpText('after', EXAMPLES);
  for (const name of portNames()) {
    const { option, who, usual } = PORTS[name];
    command.addOption(new Option(`${option} <port>`, `port of ${who} (default: ${usual})`).argParser(parsePort));
  }
  command.action(async (given: Record<string, unknown>) => {
    const { runDev } = await import('./dev.ts');
    finish(await runDev(readOptions(given), terminal));
  });
}

function readOptions(given: Record<string, unknown>): DevOptions {
  const moved = portNames().flatMap((name) => {
    const port = given[attributeOf(PORTS[name].option)];
    return typeof port === 'number' ? [[name, port] as const] : [];
  });
  const text = (name: string): string | undefined => (typeof given[name] === 'string' ? given[name] : undefined);
  const triggers = TRANSPORTS.find((transport) => transport === given.triggers);
  return {
    writeEnv: text('writeEnv'),
    fresh: given.fresh === true,
    hierarchical: given.hierarchical === true,
    triggers,
    state: text('state'),
    config: text('config'),
    json: given.json === true,
    ports: given.freePorts === true ? 'free' : Object.fromEntries(moved),
  };
}

function portNames(): readonly PortName[] {
  return Object.keys(PORTS) as PortName[];
}

/** Commander's name for an option's value: `--blob-port` is `blobPort`. */
function attributeOf(option: string): string {
  return option.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('A port is 1 to 65535.');
  return port;
}
