import { readEnvelope } from './envelope.ts';
import { type DecodedTrigger, readTrigger } from './trigger.ts';
import { UndecodableError } from './undecodable.ts';

/**
 * Reads the body of one message. Event Grid delivers an object or an array of one, in either schema, and clients
 * hand it over parsed, as text or as bytes: all are taken.
 *
 * @throws UndecodableError where any event of the body can never be applied: the message as a whole then goes to
 * the dead-letter queue, and what was good in it comes by the feed.
 */
export function decodeTriggers(body: unknown): readonly DecodedTrigger[] {
  const parsed = typeof body === 'string' || body instanceof Uint8Array ? parseJson(body) : body;
  const values: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  if (values.length === 0) throw new UndecodableError('not-an-event', 'the array of events is empty');
  return values.flatMap((value) => readTrigger(readEnvelope(value)));
}

function parseJson(body: string | Uint8Array): unknown {
  try {
    const text = typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body);
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UndecodableError('not-json', `the body is not JSON: ${why}`, { cause: error });
  }
}
