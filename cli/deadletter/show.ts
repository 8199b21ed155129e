import type { TriggerBatch } from '../../activities/azure/trigger-batch.ts';
import { type Rehearsal, rehearse } from '../../activities/dead-letters/replay-letter.ts';
import { formatKey } from '../../namespace/key.ts';
import { type LetterState, readLetter } from '../../schema/index/dead-letters.ts';
import { type Discard, readDiscard } from '../../schema/index/journal.ts';
import { explainEntry } from '../../schema/index/queries.ts';
import type { DeadletterLine, DeadletterShow } from '../../schema/outputs/deadletter.ts';
import type { TriggerMessage } from '../../schema/ports/trigger-queue.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatBytes, formatTime } from '../format.ts';
import { printable } from '../terminal.ts';
import { keptId, keptLine, parseLetterId, queuedLine } from './letter.ts';
import { type OpenLetters, openLetters, whyMissing } from './open-letters.ts';
import { whatToDo } from './what-to-do.ts';

const ENTRIES = 20;

interface Found {
  readonly line: DeadletterLine;
  readonly letter: Pick<TriggerMessage, 'body' | 'enqueuedAt'>;
  readonly state: LetterState;
  readonly discard: Discard | undefined;
}

/** `isthmus deadletter show ID`: exit 1 where there is no such letter. */
export async function showLetter(text: string, call: Call): Promise<ExitCode> {
  parseLetterId(text);
  await using open = await openLetters(call);
  const found = await findLetter(open, text, call.signal);
  if (typeof found === 'string') {
    call.terminal.say(`${text} is no dead letter: ${found}.`);
    return EXIT.no;
  }
  const output: DeadletterShow = {
    ...found.line,
    state: found.state,
    discarded: found.discard === undefined ? null : { at: formatTime(found.discard.at), why: found.discard.why },
    ...textOf(found.letter.body),
    replay: await foresee(open, await rehearse(open.services, found.letter)),
  };
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatLetter(output)) call.terminal.print(line);
  return EXIT.good;
}

/** @returns why there is none, where there is none. */
async function findLetter(open: OpenLetters, text: string, signal: AbortSignal): Promise<Found | string> {
  const { queue, services } = open;
  const id = parseLetterId(text);
  if ('queued' in id) {
    const letter = await queue?.find(id.queued, signal);
    if (letter !== undefined) return { line: queuedLine(letter), letter, state: 'open', discard: undefined };
    const gone = await readDiscard(services.index.db, services.account.id, text);
    return gone === undefined ? whyMissing(open, id) : `it ${discardText(formatTime(gone.at), gone.why)}`;
  }
  const kept = await readLetter(services.index.db, services.account.id, id.kept);
  if (kept === undefined || keptId(kept.letter) !== text) return whyMissing(open, id, kept?.letter);
  const { letter, state } = kept;
  const discard = state === 'discarded' ? await readDiscard(services.index.db, services.account.id, text) : undefined;
  return { line: keptLine(letter), letter, state, discard };
}

function discardText(at: string, why: string): string {
  return printable(`was discarded at ${at}: ${why}`);
}

async function foresee(
  { services: { account, index } }: OpenLetters,
  rehearsal: Rehearsal,
): Promise<DeadletterShow['replay']> {
  const nothing = { applied: 0, superseded: 0, ignored: 0, looks: 0, also: [], entries: [] };
  if ('refused' in rehearsal) return { refused: rehearsal.refused, ...nothing };
  const { batch, counts } = rehearsal;
  const entries: DeadletterShow['replay']['entries'] = [];
  for (const { container, name, effect } of batch.events.slice(0, ENTRIES)) {
    const row = await explainEntry(index.db, account.id, { container, name });
    const isLive = row?.isLive === true;
    entries.push({
      ...{ container, name, effect, live: isLive },
      etag: (isLive && row.attributes?.etag) || null,
      bytes: isLive ? (row.attributes?.length ?? null) : null,
      source: row?.provenance.source ?? null,
      stub: isLive ? row.stub.state : null,
    });
  }
  const ignored = Object.values(counts.ignored).reduce((sum, each) => sum + each, 0);
  const { applied, superseded, looks } = counts;
  return { refused: null, applied, superseded, ignored, looks, also: [...alsoOf(batch)].slice(0, ENTRIES), entries };
}

function* alsoOf({ subtrees, completed }: TriggerBatch): Iterable<string> {
  for (const { gone, made } of subtrees) {
    const how = made === undefined ? 'was deleted' : `is now ${formatKey(made)}`;
    yield `the directory ${formatKey(gone)} ${how}: what the index has below it is gone through`;
  }
  for (const { run } of completed) yield `an inventory run of the rule ${run.rule} ended (${run.status})`;
}

function textOf(body: unknown): Pick<DeadletterShow, 'body' | 'bodyIs'> {
  if (!(body instanceof Uint8Array)) {
    return { body: typeof body === 'string' ? body : JSON.stringify(body, undefined, 2), bodyIs: 'text' };
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return { body: indented(text), bodyIs: 'text' };
  } catch {
    return { body: Buffer.from(body).toString('base64'), bodyIs: 'base64' };
  }
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

function formatLetter(letter: DeadletterShow): readonly string[] {
  const { id, origin, state, at, deliveryCount, reason, description, messageId, body, bodyIs } = letter;
  const rows: [string, string][] = [
    ['letter', `${id}, ${state}`],
    ['origin', origin],
    ['message', messageId],
    ['at', at],
    ['deliveries', deliveryCount === null ? 'not known' : String(deliveryCount)],
    ['reason', reason],
    ['description', description],
    [bodyIs === 'base64' ? 'base64' : 'body', ''],
  ];
  return [
    ...rows.map(([name, value]) => printable(`${name.padEnd(12)}${value}`).trimEnd()),
    // Line by line: what a stranger wrote into it may hold anything else.
    ...body.split('\n').map((line) => `  ${printable(line)}`),
    ...formatReplay(letter),
  ];
}

function formatReplay(letter: DeadletterShow): readonly string[] {
  const { replay, state, discarded } = letter;
  if (discarded !== null) return [`It ${discardText(discarded.at, discarded.why)}`];
  if (state !== 'open') return [`It was ${state} already.`];
  const { refused, applied, superseded, ignored, looks, also, entries } = replay;
  if (refused !== null) {
    const next = whatToDo(letter);
    const stays = `Replayed now, it would stay here: ${printable(`${refused.reason}: ${refused.description}`)}`;
    return next === undefined ? [stays] : [stays, next];
  }
  const lines = entries.map((entry) => {
    const now = entry.live
      ? `is ${formatBytes(entry.bytes ?? 0)}, ${entry.etag}, by ${entry.source}, stub ${entry.stub}`
      : `is not in the index${entry.source === null ? '' : ` (gone, by ${entry.source})`}`;
    return `  ${entry.effect} ${printable(formatKey(entry))}: ${printable(now)}`;
  });
  const counts = `${applied} applied, ${superseded} known already, ${ignored} ignored, ${looks} to be looked at`;
  return [`Replayed now, it would be: ${counts}.`, ...lines, ...also.map((text) => `  ${printable(text)}`)];
}
