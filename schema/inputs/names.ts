/** Names that Temporal knows Isthmus by. Workflow ids and search attributes are never encrypted: no blob name is in them. */

/** The workflow types, as exported by `workflows/workflows.ts`. */
export type WorkflowType =
  | 'triggerIntake'
  | 'eventHubIntake'
  | 'deadLetterIntake'
  | 'feedTail'
  | 'look'
  | 'stubDispatch'
  | 'reconcile'
  | 'scheduledReconcile'
  | 'judgeSink'
  | 'scheduledJudgeSink'
  | 'hydrate'
  | 'replay'
  | 'maintenance';

/** One task queue for one federation. */
export function taskQueueOf(federation: string): string {
  return `isthmus-${federation}`;
}

export const workflowIds = {
  triggerIntake: (account: string) => `trigger-intake/${account}`,
  deadLetterIntake: (account: string) => `dead-letter-intake/${account}`,
  eventHubIntake: (account: string) => `event-hub-intake/${account}`,
  feedTail: (account: string) => `feed-tail/${account}`,
  look: (account: string) => `look/${account}`,
  stubDispatch: (account: string, sink: string) => `stub-dispatch/${account}/${sink}`,
  /** Of the schedule, too. Only a workflow of this id reconciles the account, so that never two do at once. */
  reconcile: (account: string) => `reconcile/${account}`,
  scheduledReconcile: (account: string) => `scheduled-reconcile/${account}`,
  /** Of the schedule, too, for the same reason. */
  judgeSink: (account: string, sink: string) => `judge-sink/${account}/${sink}`,
  scheduledJudgeSink: (account: string, sink: string) => `scheduled-judge-sink/${account}/${sink}`,
  maintenance: (account: string) => `maintenance/${account}`,
  hydrate: (hash: string) => `hydrate/${hash}`,
  /** The hash is of what is replayed. One that is started by hand may have any other id. */
  replay: (account: string, hash: string) => `replay/${account}/${hash}`,
} as const;

/** Search attributes, all of type Keyword: the federation's name, the source or sink, and the state. */
export const SEARCH_ATTRIBUTES = ['IsthmusFederation', 'IsthmusSource', 'IsthmusState'] as const;

/** The signal that ends a loop's rest. */
export const WAKE = 'wake';

/** The signal that asks a reconcile for another one, after those that it has before it. */
export const WISH = 'wish';
