import type { Sender } from 'rhea';

/** What this needs of rhea beyond its types; rhea-promise, under Azure's clients, reads the same fields. */
interface Flow {
  readonly credit: number;
  readonly session: {
    readonly outgoing: {
      readonly next_delivery_id: number;
      readonly next_pending_delivery: number;
      available(): number;
    };
  };
}

/** Whether a link has credit that is not yet spent on messages that rhea still has to write. */
export function wantsMore(link: Sender): boolean {
  const { credit, session } = link as unknown as Flow;
  const { outgoing } = session;
  const unwritten = outgoing.next_delivery_id - outgoing.next_pending_delivery;
  return link.is_open() && credit > unwritten && outgoing.available() > 0;
}
