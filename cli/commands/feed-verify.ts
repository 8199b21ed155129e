import { IsthmusError } from '../../schema/errors.ts';
import type { Call } from '../call.ts';
import type { ExitCode } from '../exit-codes.ts';

export async function feedVerify(_options: unknown, _call: Call): Promise<ExitCode> {
  throw new IsthmusError('ISTHMUS_USAGE', 'isthmus feed verify is not made yet.');
}
