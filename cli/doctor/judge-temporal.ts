import { counted, isOrAre } from '../../schema/counted.ts';
import { SEARCH_ATTRIBUTES } from '../../schema/inputs/names.ts';
import { formatSeconds, formatTime } from '../format.ts';
import type { WorkflowStatus } from '../status/workflow-status.ts';
import { type Owner, otherOwner } from '../worker/schedule-owner.ts';
import { type Finding, good, unknown, warning, wrong } from './finding.ts';

/** What a Temporal server says of itself, of our namespace, and of our task queue. */
export interface TemporalFacts {
  readonly address: string;
  readonly namespace: string;
  readonly serverVersion: string | undefined;
  /** Undefined where the server has no such namespace. */
  readonly retentionMs: number | undefined;
  /** `1` is registered, `2` deprecated, `3` deleted. */
  readonly state: number;
  /** Search attributes by name, as numbers of `IndexedValueType`. */
  readonly attributes: Readonly<Record<string, number>>;
  readonly taskQueue: string;
  /** When each poller last asked for work, by the server's clock. */
  readonly polledAt: readonly number[];
  readonly account: string;
  readonly mine: Owner;
  /** Undefined where no worker has made the account's schedule yet. */
  readonly owner: Owner | undefined;
  /** What the federation's loops and jobs say of themselves; undefined where they could not be asked. */
  readonly loops: readonly WorkflowStatus[] | undefined;
  /**
   * By their ids, loops that run and are for nothing in the file, and those that the file wants and that do not run;
   * undefined where they could not be asked for, or are not this federation's.
   */
  readonly sources: { readonly unnamed: readonly string[]; readonly missing: readonly string[] } | undefined;
}

const REGISTERED = 1;
/** `temporal.api.enums.v1.IndexedValueType` */
const KEYWORD = 2;
/** Updates, which control the loops, and a start that uses a workflow that runs. */
const LEAST_VERSION = [1, 25] as const;
const DAY_MS = 24 * 3_600_000;
/** A long poll lasts a minute; the server tells of pollers for five after they have gone. */
const POLLED_WITHIN_MS = 90_000;

export function judgeTemporal(facts: TemporalFacts, now: number): readonly Finding[] {
  return [
    judgeServer(facts),
    judgeNamespace(facts),
    ...(facts.retentionMs === undefined
      ? []
      : [
          judgeAttributes(facts),
          judgeOwner(facts),
          judgePollers(facts, now),
          judgeSources(facts),
          ...judgeLoops(facts),
        ]),
  ];
}

function judgeServer({ serverVersion }: TemporalFacts): Finding {
  const check = 'temporal.version';
  if (serverVersion === undefined || serverVersion === '') return unknown(check, 'the server does not say');
  const [major = 0, minor = 0] = serverVersion.split('.').map((part) => Number.parseInt(part, 10));
  const [leastMajor, leastMinor] = LEAST_VERSION;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) {
    return good(check, `Temporal server ${serverVersion}`);
  }
  return warning(
    check,
    `Temporal server ${serverVersion} is older than ${LEAST_VERSION.join('.')}: updates (pause, resume, rewind) may be refused`,
    'Upgrade the server, one minor version after the other.',
  );
}

function judgeNamespace({ namespace, address, retentionMs, state }: TemporalFacts): Finding {
  const check = 'temporal.namespace';
  if (retentionMs === undefined) {
    return wrong(
      check,
      `${address} has no namespace ${namespace}`,
      `temporal operator namespace create -n ${namespace} --retention 72h; or correct TEMPORAL_NAMESPACE.`,
    );
  }
  if (state !== REGISTERED) {
    return wrong(
      check,
      `namespace ${namespace} is deprecated or being deleted`,
      'Name another one by TEMPORAL_NAMESPACE.',
    );
  }
  const found = `namespace ${namespace} keeps what has ended for ${formatSeconds(retentionMs / 1000)}`;
  // No retention is no limit.
  if (retentionMs === 0 || retentionMs >= DAY_MS) return good(check, found);
  return warning(
    check,
    `${found}: results of reconciles and replays are gone before the next day`,
    `temporal operator namespace update -n ${namespace} --retention 72h`,
  );
}

function judgeAttributes({ namespace, attributes }: TemporalFacts): Finding {
  const check = 'temporal.attributes';
  const missing = SEARCH_ATTRIBUTES.filter((name) => !Object.hasOwn(attributes, name));
  const create = (names: readonly string[]) =>
    names
      .map((name) => `temporal operator search-attribute create -n ${namespace} --name ${name} --type Keyword`)
      .join('\n');
  if (missing.length > 0) {
    return wrong(
      check,
      `namespace ${namespace} lacks ${missing.join(', ')}: no loop can start without`,
      `A worker registers them when it starts, where it may; else:\n${create(missing)}`,
    );
  }
  const other = SEARCH_ATTRIBUTES.filter((name) => attributes[name] !== KEYWORD);
  if (other.length > 0) {
    return wrong(
      check,
      `${other.join(', ')} in namespace ${namespace} ${isOrAre(other.length)} not of type Keyword`,
      `${other.map((name) => `temporal operator search-attribute remove -n ${namespace} --name ${name}`).join('\n')}\n${create(other)}`,
    );
  }
  return good(check, `namespace ${namespace} has ${SEARCH_ATTRIBUTES.join(', ')}`);
}

function judgeOwner({ account, namespace, mine, owner }: TemporalFacts): Finding {
  const check = 'temporal.federation';
  const other = otherOwner(mine, owner, { account, namespace });
  if (other !== undefined) return wrong(check, other.says, other.mend);
  if (owner === undefined) {
    const because = `no worker has made the workflows of ${account} yet`;
    return unknown(check, because, 'isthmus worker makes them when it starts.');
  }
  const theirs = `the workflows of ${account} are those of federation ${owner.federation}`;
  if (mine.index === undefined)
    return unknown(check, `the index cannot be read: ${theirs}, with this index or another`);
  if (owner.index === undefined) {
    return unknown(check, `an older worker did not tell its index: ${theirs}`, 'A worker tells it when it starts.');
  }
  return good(check, `${theirs}, with this index`);
}

function judgePollers({ taskQueue, polledAt }: TemporalFacts, now: number): Finding {
  const check = 'temporal.worker';
  const fresh = polledAt.filter((at) => now - at < POLLED_WITHIN_MS);
  if (fresh.length > 0) {
    // A poll that waits looks the same whether or not its worker still lives.
    const [have, dead] = fresh.length === 1 ? ['has', ''] : ['have', '; those killed since are among them'];
    const who = `${counted(fresh.length, 'worker')} ${have}`;
    return good(check, `${who} polled ${taskQueue} within ${POLLED_WITHIN_MS / 1000} s${dead}`);
  }
  const last = polledAt.length === 0 ? 'in the last minutes' : `since ${formatTime(Math.max(...polledAt))}`;
  return wrong(
    check,
    `no worker has polled ${taskQueue} ${last}: nothing is taken from any source`,
    "isthmus worker --config federation.yaml; where one runs, compare its TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and its federation's name.",
  );
}

/** Workers start the loops of their own file, and end the others. */
function judgeSources({ sources, mine, account }: TemporalFacts): Finding {
  const check = 'temporal.sources';
  if (sources === undefined)
    return unknown(check, `no worker of ${mine.federation} is known to run loops of ${account}`);
  const { unnamed, missing } = sources;
  const isOne = (ids: readonly string[]) => ids.length === 1;
  const differences = [
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} of the file ${isOne(missing) ? 'does' : 'do'} not run`]),
    ...(unnamed.length === 0
      ? []
      : [`${unnamed.join(', ')} ${isOne(unnamed) ? 'runs and is' : 'run and are'} for nothing in the file`]),
  ];
  if (differences.length === 0) return good(check, 'the loops that run are those of the file');
  const mend =
    'Where the workers started more than a minute ago, they have another file: restart every one with this file.';
  return warning(check, differences.join('; '), mend);
}

/** What an operator has paused is as that wanted it, and as easily forgotten. */
function judgeLoops({ loops = [] }: TemporalFacts): readonly Finding[] {
  const check = 'temporal.loops';
  const stopped = loops.flatMap(({ source, state, since, reason }) => {
    const time = since === null ? '' : ` since ${since}`;
    const why = reason === null ? '' : `: ${reason}`;
    const resume = `isthmus resume ${source}`;
    if (state === 'paused') {
      return [warning(check, `${source} is paused by an operator${time}${why}`, resume)];
    }
    if (state !== 'alarm') return [];
    return [wrong(check, `${source} has stopped in alarm${time}${why}`, `Mend what it says, then: ${resume}`)];
  });
  if (stopped.length > 0) return stopped;
  const answered = loops.filter(({ running, state }) => running && state !== 'unknown');
  if (answered.length === 0) return [unknown(check, 'no loop answers, so that nobody says whether it is paused')];
  return [
    good(check, `${counted(answered.length, 'loop')} ${answered.length === 1 ? 'answers' : 'answer'}, none is paused`),
  ];
}
