import { Client, Connection } from '@temporalio/client';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { IsthmusError, messageOf } from '../schema/errors.ts';
import type { Environment } from './environment.ts';

/** `HOST` or `HOST:PORT`; an address of IPv6 stands in brackets. */
const ADDRESS = /^(?:\[[\da-f:.]+\]|[^\s:/@[\]]+)(?::(?<port>\d{1,5}))?$/i;
const LAST_PORT = 65_535;

/**
 * Temporal as its standard environment variables and profile name it.
 *
 * @throws IsthmusError `ISTHMUS_USAGE` where its address is none.
 */
export function temporalConfig(env: Environment): ClientConnectConfig {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const config = loadClientConnectConfig({ overrideEnvVars });
  const { address } = config.connectionOptions;
  const match = address === undefined ? undefined : ADDRESS.exec(address);
  if (match === null || Number(match?.groups?.port ?? 0) > LAST_PORT) {
    throw new IsthmusError(
      'ISTHMUS_USAGE',
      `The address of Temporal is none: ${address?.replace(/^.*@/, '***@')}. Write TEMPORAL_ADDRESS (or the profile's ` +
        'address) as HOST or HOST:PORT, such as 127.0.0.1:7233, without http://.',
    );
  }
  return config;
}

/** A client of Temporal; its connection is closed by `await using`. */
export interface TemporalClient extends AsyncDisposable {
  readonly client: Client;
  readonly address: string;
}

/** @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE` where nothing answers within five seconds, and as `temporalConfig` does. */
export async function connectTemporal(env: Environment): Promise<TemporalClient> {
  const { connectionOptions, namespace } = temporalConfig(env);
  const address = connectionOptions.address ?? 'localhost:7233';
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' }).catch(
    (cause: unknown) => {
      throw new IsthmusError(
        'ISTHMUS_SOURCE_UNAVAILABLE',
        `Temporal does not answer at ${address}: ${messageOf(cause)}. ` +
          'Start it (`isthmus dev` has one), or set TEMPORAL_ADDRESS.',
        { cause },
      );
    },
  );
  const client = new Client({ connection, namespace: namespace ?? 'default' });
  return { client, address, [Symbol.asyncDispose]: () => connection.close() };
}
