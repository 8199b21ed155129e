/** What is measured: the worker's own tail, from the account's cursor to the feed's end, every page committed. */
import { tailFeed } from '../../activities/feed/tail-feed.ts';
import { forgetCursor } from '../../schema/index/feed-cursors.ts';
import { asActivity } from '../as-activity.ts';
import { type BenchPlaces, benchServices } from '../bench-services.ts';
import { argumentOf, peakRssMiB, say } from '../child.ts';

export interface TailFigures {
  readonly records: number;
  readonly applied: number;
  readonly superseded: number;
  readonly pages: number;
  readonly seconds: number;
  readonly peakRssMiB: number;
  readonly cpuSeconds: number;
}

const { rewind, ...places } = argumentOf<BenchPlaces & { readonly rewind: boolean }>();
const services = await benchServices(places);
const { account, index, metrics } = services;
if (rewind) await forgetCursor(index.db, account.id);
let pages = 0;
const feedPage = metrics.feedPage.bind(metrics);
metrics.feedPage = (page) => {
  pages++;
  feedPage(page);
};
const before = process.cpuUsage();
const began = performance.now();
const turn = await asActivity(() => tailFeed(services)({ seconds: 24 * 3_600 }));
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(before);
const { records, applied, superseded } = turn;
if (turn.state !== 'tailing' || !turn.caughtUp) throw new Error(`the feed was not read to its end: ${turn.reason}`);
const figures: TailFigures = {
  ...{ records, applied, superseded, pages, seconds },
  ...{ peakRssMiB: peakRssMiB(), cpuSeconds: (user + system) / 1e6 },
};
say(figures);
await index.close();
