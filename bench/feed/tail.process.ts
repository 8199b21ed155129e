/** What is measured: the worker's own tail, from the account's cursor to the feed's end, every page committed. */
import { FeedReader } from '../../activities/azure/feed-reader.ts';
import { Standing } from '../../activities/feed/standing.ts';
import { TailPass } from '../../activities/feed/tail-pass.ts';
import { TurnProgress } from '../../activities/feed/turn-progress.ts';
import { forgetCursor } from '../../schema/index/feed-cursors.ts';
import { type BenchPlaces, benchServices } from './bench-services.ts';
import { argumentOf, peakRssMiB, say } from './child.ts';

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
const { account, clock, feed, index, metrics } = services;
if (rewind) await forgetCursor(index.db, account.id);
let pages = 0;
const feedPage = metrics.feedPage.bind(metrics);
metrics.feedPage = (page) => {
  pages++;
  feedPage(page);
};
const before = process.cpuUsage();
const began = performance.now();
const progress = new TurnProgress(clock.now());
const pass = new TailPass(services, {
  reader: new FeedReader(feed, { source: 'feed' }),
  progress,
  standing: new Standing(services),
  until: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
});
await pass.run();
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(before);
const { records, applied, superseded } = progress.turn(clock.now());
const figures: TailFigures = {
  ...{ records, applied, superseded, pages, seconds },
  ...{ peakRssMiB: peakRssMiB(), cpuSeconds: (user + system) / 1e6 },
};
say(figures);
await index.close();
