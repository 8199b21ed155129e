import type { Connection, EventContext, Message, Receiver, Sender } from 'rhea';

/** Lets a link be, at the addresses that its client named. */
export function attach(link: Sender | Receiver): void {
  link.set_source(link.source);
  link.set_target(link.target);
}

/** A credential is not judged: the broker listens on this machine alone. */
export function answerPutToken(context: EventContext): void {
  context.delivery?.accept();
  const answer: Message = {
    correlation_id: context.message?.message_id as string,
    application_properties: { 'status-code': 202, 'status-description': 'Accepted' },
    body: undefined,
  };
  reply(context, answer, 'name');
}

/** `$cbs` is answered on the link whose name the request gives, `$management` on the one whose target it is. */
export function reply(context: EventContext, answer: Message, by: 'name' | 'target'): void {
  const to = context.message?.reply_to;
  const link = (context.connection as Connection).find_sender(
    (candidate: Sender) => (by === 'name' ? candidate.name : candidate.target?.address) === to,
  );
  const delivery = link?.send(answer);
  if (delivery) delivery.update(true);
}

/** Refuses a link to what is not there, as Azure does. */
export function refuse(link: Sender | Receiver, address: string): void {
  link.close({
    condition: 'amqp:not-found',
    description: `The messaging entity '${address}' could not be found. The embedded broker has no such entity.`,
  });
}
