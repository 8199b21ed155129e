import type { Connection, EventContext, Message, Receiver, Sender } from 'rhea';
import { refusalOfToken } from './sas-token.ts';

/** Lets a link be, at the addresses that its client named. */
export function attach(link: Sender | Receiver): void {
  link.set_source(link.source);
  link.set_target(link.target);
}

/** Answers whether the client's key is the broker's; who was refused attaches to nothing. */
export function answerPutToken(context: EventContext): void {
  context.delivery?.accept();
  const refusal = refusalOfToken(context.message?.body, Date.now());
  const answer: Message = {
    correlation_id: context.message?.message_id as string,
    application_properties: {
      'status-code': refusal === undefined ? 202 : 401,
      'status-description': refusal ?? 'Accepted',
    },
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
