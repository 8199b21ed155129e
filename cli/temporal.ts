import { Client, Connection } from '@temporalio/client';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { ensureError, IsthmusError } from '../schema/errors.ts';
import type { Environment } from './environment.ts';

/** Temporal as its standard environment variables and profile name it. */
export function temporalConfig(env: Environment): ClientConnectConfig {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return loadClientConnectConfig({ overrideEnvVars });
}

/** A client of Temporal; its connection is closed by `await using`. */
export interface TemporalClient extends AsyncDisposable {
  readonly client: Client;
  readonly address: string;
}

/** @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE` where nothing answers within five seconds. */
export async function connectTemporal(env: Environment): Promise<TemporalClient> {
  const { connectionOptions, namespace } = temporalConfig(env);
  const address = connectionOptions.address ?? 'localhost:7233';
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' }).catch(
    (cause: unknown) => {
      throw new IsthmusError(
        'ISTHMUS_SOURCE_UNAVAILABLE',
        `Temporal does not answer at ${address}: ${ensureError(cause).message}. ` +
          'Start it (`isthmus dev` has one), or set TEMPORAL_ADDRESS.',
        { cause },
      );
    },
  );
  const client = new Client({ connection, namespace: namespace ?? 'default' });
  return { client, address, [Symbol.asyncDispose]: () => connection.close() };
}
