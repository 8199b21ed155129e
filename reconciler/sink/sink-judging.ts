import type { Logger } from 'pino';
import type { DeleteStop } from '../../namespace/rule.ts';
import type { Account } from '../../schema/index/accounts.ts';
import type { Index } from '../../schema/index/database.ts';
import type { RulesInUse } from '../../schema/index/live-rules.ts';
import type { Clock } from '../../schema/ports/clock.ts';
import type { Sink } from '../../schema/ports/sink.ts';

/** What judging a sink needs of the world. */
export interface SinkJudging extends RulesInUse {
  readonly account: Account;
  readonly index: Index;
  readonly clock: Clock;
  readonly log: Logger;
  readonly federation: { readonly reconcile: { readonly stop: DeleteStop } };
}

/** The sink of a run, by the name that rules know it by. */
export interface JudgedSink {
  readonly name: string;
  readonly sink: Sink;
}
