import rhea, { type Message } from 'rhea';
import type { EventHub } from './event-hub.ts';
import type { Partition } from './partition.ts';

const { types } = rhea;

type Properties = Readonly<Record<string, unknown>>;

/** Answers one request to `$management`: READ of a hub or of one of its partitions, as Azure's client asks for them. */
export function manage(hubs: ReadonlyMap<string, EventHub>, request: Message): Message {
  const asked = (request.application_properties ?? {}) as Properties;
  const body = asked.operation === 'READ' ? read(hubs, asked) : undefined;
  const status = body === undefined ? 404 : 200;
  return {
    correlation_id: request.message_id as string,
    application_properties: {
      'status-code': types.wrap_int(status),
      // Azure's client knows by these words what is not there.
      'status-description':
        status === 200
          ? 'OK'
          : `The messaging entity '${asked.name}' could not be found. The embedded broker has no such ${asked.type}.`,
      ...(status === 200 ? {} : { 'error-condition': 'amqp:not-found' }),
    },
    body: body ?? {},
  };
}

function read(hubs: ReadonlyMap<string, EventHub>, { name, type, partition: id }: Properties): unknown {
  const hub = hubs.get(String(name).toLowerCase());
  if (hub === undefined) return undefined;
  if (type === 'com.microsoft:eventhub') return describeHub(hub);
  const partition = hub.partitions.get(String(id));
  return type === 'com.microsoft:partition' && partition !== undefined ? describe(hub, partition) : undefined;
}

function describeHub(hub: EventHub): unknown {
  return {
    name: hub.name,
    type: 'com.microsoft:eventhub',
    created_at: types.wrap_timestamp(hub.createdAt),
    partition_count: types.wrap_int(hub.partitions.size),
    partition_ids: [...hub.partitions.keys()],
    georeplication_factor: types.wrap_int(1),
  };
}

function describe(hub: EventHub, partition: Partition): unknown {
  const { last, begin, id, size } = partition;
  return {
    name: hub.name,
    type: 'com.microsoft:partition',
    partition: id,
    begin_sequence_number: types.wrap_long(begin),
    last_enqueued_sequence_number: types.wrap_long(partition.end.sequence - 1),
    last_enqueued_offset: last === undefined ? '-1' : String(last.offset),
    last_enqueued_time_utc: types.wrap_timestamp(last?.enqueuedAt ?? 0),
    is_partition_empty: size === 0,
  };
}
