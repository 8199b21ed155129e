import type { PublishedMessage } from './amqp/messages.ts';
import type { EventGridEvent } from './storage/events/event-grid-event.ts';

/** An event as Event Grid puts it into a Service Bus queue or an event hub: the event as the body, with its delivery properties. */
export function eventGridMessage(event: EventGridEvent): PublishedMessage {
  return {
    // Stable across redeliveries, as Event Grid's own.
    messageId: event.id,
    body: event,
    applicationProperties: {
      'aeg-subscription-name': 'ISTHMUS',
      'aeg-delivery-count': '0',
      'aeg-output-event-id': event.id,
      'aeg-event-type': 'Notification',
      'aeg-data-version': event.dataVersion,
      'aeg-metadata-version': event.metadataVersion,
    },
  };
}
