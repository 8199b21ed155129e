/** The official package reads the feed and does nothing with it. */
import { BlobChangeFeedClient } from '@azure/storage-blob-changefeed';
import { argumentOf, peakRssMiB, say } from '../child.ts';

/** The most that it gives in a page, which is its quickest way. */
const PAGE = 5_000;

const { connectionString, most } = argumentOf<{ readonly connectionString: string; readonly most: number }>();
const client = BlobChangeFeedClient.fromConnectionString(connectionString);
const began = performance.now();
let records = 0;
for await (const page of client.listChanges().byPage({ maxPageSize: PAGE })) {
  records += page.events.length;
  if (records >= most) break;
}
say({ records, seconds: (performance.now() - began) / 1000, peakRssMiB: peakRssMiB() });
process.exit(0);
