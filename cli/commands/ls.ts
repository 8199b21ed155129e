import { compileRules, type RuleIndex } from '../../namespace/authority.ts';
import type { Key } from '../../namespace/key.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import { type EntryRow, listEntries } from '../../schema/index/queries.ts';
import type { LsEntry } from '../../schema/outputs/ls.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatBytes, formatTime } from '../format.ts';
import { openAccount } from '../open-account.ts';
import { printable } from '../terminal.ts';

const PAGE = 1_000;

/** `isthmus ls [PREFIX]`: live entries in key order, read and printed a page at a time. */
export async function ls(prefix: string, limit: number, call: Call): Promise<ExitCode> {
  await using open = await openAccount(call);
  const { index, account } = open;
  const set = await liveRules(index.db, account.id);
  const rules = set === undefined ? undefined : compileRules(set);
  let after: Key | undefined;
  for (let left = limit; left > 0; ) {
    call.signal.throwIfAborted();
    const asked = Math.min(PAGE, left);
    const page = await listEntries(index.db, account.id, { prefix, after, limit: asked });
    for (const row of page) {
      const entry = outputOf(row, rules);
      call.terminal.print(call.json ? JSON.stringify(entry) : lineOf(entry));
    }
    after = page.at(-1);
    left -= page.length;
    if (page.length < asked) return EXIT.good;
  }
  call.terminal.say(`The first ${limit}; --limit shows more.`);
  return EXIT.good;
}

function outputOf(row: EntryRow, rules: RuleIndex | undefined): LsEntry {
  const { container, name, attributes, stub } = row;
  const rule = rules?.match(row);
  return {
    container,
    name,
    bytes: attributes?.length ?? 0,
    etag: attributes?.etag ?? '',
    lastModified: attributes?.lastModified === undefined ? null : formatTime(attributes.lastModified),
    authority: rule?.authority ?? null,
    sink: rule?.sink ?? null,
    stub: stub.state,
    stubDue: stub.due,
    stubDetail: stub.detail ?? null,
  };
}

function lineOf(entry: LsEntry): string {
  const state = entry.stubDue ? `${entry.stub}*` : entry.stub;
  const why = entry.stubDetail === null ? '' : `  (${printable(entry.stubDetail)})`;
  const size = formatBytes(entry.bytes).padStart(9);
  return `${size}  ${state.padEnd(15)}  ${(entry.authority ?? '-').padEnd(4)}  ${printable(`${entry.container}/${entry.name}`)}${why}`;
}
