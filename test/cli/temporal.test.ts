import { expect, it } from 'vitest';
import { temporalConfig } from '../../cli/temporal.ts';

/** No profile of whoever runs the tests. */
const asked = (address: string) =>
  temporalConfig({ TEMPORAL_ADDRESS: address, TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml' });

it.each(['http://127.0.0.1:7233', 'temporal:port', 'temporal:99999', 'temporal:', 'a b', 'u:secret@temporal:7233'])(
  'an address of Temporal that is none, %s, is told as such, with what is expected',
  (address) => {
    const refused = expect.objectContaining({
      code: 'ISTHMUS_USAGE',
      message: expect.stringMatching(/TEMPORAL_ADDRESS .* HOST:PORT/),
    });
    expect(() => asked(address)).toThrow(refused);
    expect(() => asked(address)).not.toThrow(/secret/);
  },
);

it.each(['temporal', 'temporal.example:7233', '127.0.0.1:7233', '[::1]:7233', 'ns.acc.tmprl.cloud:7233'])(
  'Temporal may be at %s',
  (address) => {
    expect(asked(address).connectionOptions.address).toBe(address);
  },
);
