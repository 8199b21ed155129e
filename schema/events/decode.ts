import { readEnvelope } from './envelope.ts';
import { type DecodedTrigger, readTrigger } from './trigger.ts';
import { UndecodableError } from './undecodable.ts';

/** What a message says. Nothing of it is lost: each of its events is in one of the two. */
export interface DecodedBody {
  readonly read: readonly DecodedTrigger[];
  /** Why what is not read can never be applied, event by event; one where the body as a whole is none. */
  readonly refused: readonly UndecodableError[];
}

/**
 * Reads the body of one message. Event Grid delivers an object or an array of one, in either schema, and clients
 * hand it over parsed, as text or as bytes: all are taken. An event that can never be applied does not hold back
 * those beside it: on an account that has no feed nothing else would bring them.
 *
 * @param account the one that is listened to: an event of another was sent to the wrong place. Without it, any.
 */
export function decodeTriggers(body: unknown, account?: string): DecodedBody {
  const read: DecodedTrigger[] = [];
  const refused: UndecodableError[] = [];
  const trying = (work: () => void) => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof UndecodableError)) throw error;
      refused.push(error);
    }
  };
  trying(() => {
    for (const value of eventsOf(body)) trying(() => read.push(...readEvent(value, account)));
  });
  return { read, refused };
}

function readEvent(value: unknown, account: string | undefined): readonly DecodedTrigger[] {
  const read = readTrigger(readEnvelope(value));
  const stranger = account === undefined ? undefined : read.find((each) => each.account !== account);
  if (stranger === undefined) return read;
  const { account: whose } = stranger;
  throw new UndecodableError('unknown-account', `the event is of account '${whose}', not '${account}'`);
}

function eventsOf(body: unknown): readonly unknown[] {
  const parsed = typeof body === 'string' || body instanceof Uint8Array ? parseJson(body) : body;
  const values: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  if (values.length === 0) throw new UndecodableError('not-an-event', 'the array of events is empty');
  return values;
}

function parseJson(body: string | Uint8Array): unknown {
  if (typeof body === 'string') return parseText(body, 'the body');
  const value = parseText(decodeUtf8(body), 'the body');
  // Azure's clients send a string as JSON, in quotes: what somebody sent as a text is told from that text.
  if (typeof value === 'string') parseText(value, 'the body is a string that');
  return value;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw notJson('the body', error);
  }
}

function parseText(text: string, what: string): unknown {
  if (text.trim() === '') throw new UndecodableError('not-json', 'the body is empty');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(what, error);
  }
}

function notJson(what: string, error: unknown): UndecodableError {
  const why = error instanceof Error ? error.message : String(error);
  return new UndecodableError('not-json', `${what} is not JSON: ${why}`, { cause: error });
}
