import { describe, expect, it } from 'vitest';
import { isEmulator, readQueueSettings } from '../../../activities/azure/queue-questions.ts';

const BUS = {
  connectionString: 'Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey=c2VjcmV0',
  queue: 'events',
};
const ENTRY = `<entry xmlns="http://www.w3.org/2005/Atom"><id>https://contoso.servicebus.windows.net/events?api-version=2021-05</id><title type="text">events</title><content type="application/xml">
  <QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect">
    <LockDuration>PT5S</LockDuration><MaxSizeInMegabytes>1024</MaxSizeInMegabytes>
    <RequiresDuplicateDetection>true</RequiresDuplicateDetection><RequiresSession>false</RequiresSession>
    <DefaultMessageTimeToLive>P14D</DefaultMessageTimeToLive>
    <DeadLetteringOnMessageExpiration>false</DeadLetteringOnMessageExpiration>
    <DuplicateDetectionHistoryTimeWindow>PT10M</DuplicateDetectionHistoryTimeWindow>
    <MaxDeliveryCount>7</MaxDeliveryCount><EnableBatchedOperations>true</EnableBatchedOperations>
    <EnablePartitioning>false</EnablePartitioning><EnableExpress>false</EnableExpress>
    <Status>Active</Status><AutoDeleteOnIdle>P10675199DT2H48M5.4775807S</AutoDeleteOnIdle>
  </QueueDescription></content></entry>`;

type Policy = NonNullable<Parameters<typeof readQueueSettings>[2]>;

/** A management plane that answers everything so. */
function answering(status: number, bodyAsText: string): Policy & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    name: 'a management plane',
    asked,
    sendRequest: async (request) => {
      asked.push(`${request.method} ${request.url}`);
      return { request, status, headers: request.headers, bodyAsText };
    },
  };
}

describe("a queue's settings", () => {
  it('are read from the management plane, with one question that changes nothing', async () => {
    const plane = answering(200, ENTRY);
    const settings = await readQueueSettings(BUS, new AbortController().signal, plane);
    expect(settings).toMatchObject({
      lockDuration: 'PT5S',
      maxDeliveryCount: 7,
      requiresDuplicateDetection: true,
      requiresSession: false,
      deadLetteringOnMessageExpiration: false,
      defaultMessageTimeToLive: 'P14D',
      status: 'Active',
    });
    expect(plane.asked).toEqual([expect.stringMatching(/^GET https:\/\/contoso\.servicebus\.windows\.net\/events/)]);
  });

  it.each([401, 403])('that may not be read (%d) are an error, at once', async (status) => {
    const plane = answering(status, '<Error><Code>no</Code><Detail>no Manage claim</Detail></Error>');
    const reading = readQueueSettings(BUS, new AbortController().signal, plane);
    await expect(reading).rejects.toMatchObject({ statusCode: status });
    expect(plane.asked).toHaveLength(1);
  });

  it('are not asked of an emulator, which says that it is one', () => {
    expect(isEmulator({ connectionString: `${BUS.connectionString};UseDevelopmentEmulator=true;` })).toBe(true);
    expect(isEmulator(BUS)).toBe(false);
    expect(isEmulator({ namespace: 'contoso.servicebus.windows.net' })).toBe(false);
  });
});
