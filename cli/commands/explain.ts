import { compileRules } from '../../namespace/authority.ts';
import { type Key, parseKey } from '../../namespace/key.ts';
import { pathOf } from '../../namespace/path.ts';
import type { RuleSet } from '../../namespace/rule.ts';
import { IsthmusError } from '../../schema/errors.ts';
import { liveRules } from '../../schema/index/authority-revisions.ts';
import { type ExplainRow, explainEntry } from '../../schema/index/queries.ts';
import type { ExplainOutput } from '../../schema/outputs/explain.ts';
import type { Call } from '../call.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatTime } from '../format.ts';
import { openAccount } from '../open-account.ts';
import { formatExplanation } from './format-explanation.ts';

/** `isthmus explain CONTAINER/NAME`: exit 1 where the index has never heard of the key. */
export async function explain(text: string, call: Call): Promise<ExitCode> {
  if (!text.includes('/')) {
    throw new IsthmusError('ISTHMUS_USAGE', `'${text}' names no blob: write CONTAINER/NAME.`);
  }
  const key = parseKey(text);
  await using open = await openAccount(call);
  const set = await liveRules(open.index.db, open.account.id);
  const output = explanationOf(key, await explainEntry(open.index.db, open.account.id, key), set);
  if (call.json) call.terminal.print(JSON.stringify(output));
  else for (const line of formatExplanation(output)) call.terminal.print(line);
  return output.known ? EXIT.good : EXIT.no;
}

function explanationOf(key: Key, row: ExplainRow | undefined, set: RuleSet | undefined): ExplainOutput {
  const matched = set === undefined ? undefined : compileRules(set).match(key);
  const rule = matched === undefined || set === undefined ? null : { ...matched, revision: set.revision };
  const named = { container: key.container, name: key.name };
  if (row === undefined) {
    const nothing = { attributes: null, clock: null, change: null, lookDue: null, stub: null };
    return { ...named, known: false, live: false, rule, ...nothing };
  }
  const { attributes, provenance, stub } = row;
  const path = pathOf(key);
  return {
    ...named,
    known: true,
    live: row.isLive,
    rule,
    attributes:
      attributes === undefined
        ? null
        : {
            etag: attributes.etag,
            bytes: attributes.length,
            blobType: attributes.blobType ?? null,
            contentType: attributes.contentType ?? null,
            md5: attributes.md5 ?? null,
            lastModified: timeOf(attributes.lastModified),
            tier: attributes.tier ?? null,
            metadata: attributes.metadata === undefined ? null : { ...attributes.metadata },
          },
    clock: {
      epoch: row.epoch ?? null,
      sequencer: row.sequencer ?? null,
      seen: timeOf(row.seen),
      look: timeOf(row.look),
      revision: row.revision,
    },
    change: {
      source: provenance.source,
      eventId: provenance.eventId,
      time: timeOf(provenance.time),
      appliedAt: timeOf(row.changedAt),
      ruleRevision: provenance.ruleRevision,
    },
    lookDue: row.lookDue ? { reason: row.lookReason ?? null, error: row.lookError ?? null } : null,
    stub: {
      sink: stub.sink ?? null,
      state: stub.state,
      due: stub.due,
      revision: stub.revision,
      etag: stub.etag ?? null,
      detail: stub.detail ?? null,
      tries: stub.tries,
      path: 'path' in path ? path.path : null,
      unrepresentable: 'path' in path ? null : path.unrepresentable,
    },
  };
}

function timeOf(time: number | undefined): string | null {
  return time === undefined || !Number.isFinite(time) || Math.abs(time) > 8.64e15 ? null : formatTime(time);
}
