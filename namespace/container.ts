import type { Timestamp } from './entry.ts';
import type { Epoch } from './epoch.ts';

/** What is known of a container's incarnations; nothing is guessed (rule 3 of the clock). */
export interface ContainerState {
  /** The newest epoch that a source has told of. */
  readonly newestEpoch: Epoch | undefined;
  /** The server's time of the newest 404 for the container itself. */
  readonly goneAt: Timestamp | undefined;
}
