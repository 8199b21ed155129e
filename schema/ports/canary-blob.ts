import type { Key } from '../../namespace/key.ts';

/** The one blob of the account that Isthmus itself writes, so that its own trigger can be waited for. */
export interface CanaryBlob {
  /** Writes it anew. @throws IsthmusError `ISTHMUS_SOURCE_UNAVAILABLE` with what the account said. */
  write(key: Key, text: string, signal: AbortSignal): Promise<void>;
}
