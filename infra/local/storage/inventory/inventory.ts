import type { Announcement } from '../change.ts';
import { inventoryCompleted } from '../events/inventory-event.ts';
import { type InventoryParts, type InventoryRequest, type InventoryResult, runInventory } from './inventory-run.ts';

/** Where reports go that name no other container. */
export const REPORT_CONTAINER = 'inventory';

const DEFAULT_INVENTORY: InventoryRequest = {
  format: 'csv',
  container: REPORT_CONTAINER,
  rule: 'isthmus',
  filesOf: 1_000_000,
  status: 'Succeeded',
};

/** Runs reports one after the other, on request and on a schedule, and announces those that complete. */
export class Inventory {
  readonly #parts: InventoryParts;
  readonly #announce: (event: Announcement) => void;
  #last: Promise<unknown> = Promise.resolve();
  /** Seconds since 1970 in the newest folder's name; two runs never share one. */
  #lastFolder = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: InventoryParts, announce: (event: Announcement) => void) {
    this.#parts = parts;
    this.#announce = announce;
  }

  /** Resolves when the report is complete, or stopped by its switch. */
  run(request: Partial<InventoryRequest> = {}): Promise<InventoryResult> {
    const done = this.#last.then(() => this.#run({ ...DEFAULT_INVENTORY, ...request }));
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** A run that fails is left with its Pending manifest, and the next comes at its time. */
  schedule(everyMs: number): void {
    this.#timer = setInterval(() => void this.run().catch(() => undefined), everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
  }

  async #run(request: InventoryRequest): Promise<InventoryResult> {
    this.#lastFolder = Math.max(this.#lastFolder + 1, Math.floor(this.#parts.now() / 1_000));
    const result = await runInventory(request, new Date(this.#lastFolder * 1_000), this.#parts);
    if (result.status !== 'Pending') {
      this.#announce(
        inventoryCompleted({
          scheduledAt: result.startedAt,
          completedAt: new Date(this.#parts.now()),
          rule: request.rule,
          status: result.status,
          manifestUrl: `${this.#parts.endpoint}/${result.manifest}`,
        }),
      );
    }
    return result;
  }
}
