interface Group {
  readonly outcome: string;
  /** When all of the group before have been answered. */
  readonly begin: Promise<unknown>;
  readonly underWay: Set<Promise<void>>;
}

/**
 * Settlements of one link: those of one outcome are under way together, those of another begin once every one before
 * has been answered.
 *
 * rhea 3.0.5 joins neighbouring dispositions of one flush and gives the second of them the first one's outcome: a good
 * message beside a bad one would be dead-lettered.
 */
export class SettlementOrder {
  #last: Group = { outcome: '', begin: Promise.resolve(), underWay: new Set() };

  /** @param work must not reject, nor take for ever. @param outcome equal for what settles alike, reasons included. */
  settle(outcome: string, work: () => Promise<void>): Promise<void> {
    const before = this.#last;
    if (before.outcome !== outcome) {
      const begin = before.begin.then(() => Promise.all(before.underWay));
      this.#last = { outcome, begin, underWay: new Set() };
    }
    const { begin, underWay } = this.#last;
    const done = begin.then(work);
    underWay.add(done);
    return done.finally(() => underWay.delete(done));
  }
}
