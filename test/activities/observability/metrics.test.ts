import { describe, expect, it } from 'vitest';
import type { JudgeHead } from '../../../activities/observability/judge-runs.ts';
import { Metrics } from '../../../activities/observability/metrics.ts';

/** Every series with its value; histograms by their count and sum alone. */
async function seriesOf(metrics: Metrics): Promise<readonly string[]> {
  const lines = (await metrics.registry.metrics()).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_bucket{'));
}

const PAGE = { byType: {}, outcomes: {}, bytes: 10, records: 2, seconds: 0.5 };

describe('the metrics of a worker', () => {
  it('count a page of the feed by type and outcome, with its bytes, time, lag and looks', async () => {
    const metrics = new Metrics();
    metrics.feedPage({
      ...PAGE,
      byType: { BlobCreated: 2, BlobDeleted: 1 },
      outcomes: { applied: 2, superseded: 1, noise: 0 },
      looks: 1,
      newestLagSeconds: 1.5,
    });
    metrics.feedPoll();
    metrics.feedRetry('throttled');
    metrics.feedGap();
    metrics.trust({ agreed: 3, mismatched: 1 });
    expect(await seriesOf(metrics)).toEqual(
      expect.arrayContaining([
        'isthmus_feed_records_total{type="BlobCreated"} 2',
        'isthmus_feed_records_total{type="BlobDeleted"} 1',
        'isthmus_source_records_total{source="feed",outcome="applied"} 2',
        'isthmus_source_records_total{source="feed",outcome="superseded"} 1',
        'isthmus_source_pages_total{source="feed"} 1',
        'isthmus_look_queued_total{source="feed"} 1',
        'isthmus_feed_read_bytes_total 10',
        'isthmus_feed_page_records_sum 2',
        'isthmus_feed_page_duration_seconds_sum 0.5',
        'isthmus_feed_newest_record_lag_seconds 1.5',
        'isthmus_feed_polls_total 1',
        'isthmus_feed_retries_total{cause="throttled"} 1',
        'isthmus_feed_gaps_total 1',
        'isthmus_trust_agreements_total 3',
        'isthmus_trust_mismatches_total 1',
      ]),
    );
  });

  it('8: do not grow with what a feed calls its records', async () => {
    const metrics = new Metrics();
    const word = (at: number) =>
      `Type${String.fromCharCode(65 + Math.floor(at / 26))}${String.fromCharCode(65 + (at % 26))}`;
    for (let at = 0; at < 200; at++) metrics.feedPage({ ...PAGE, byType: { [word(at)]: 1, [`odd "${at}"`]: 1 } });
    const types = (await seriesOf(metrics)).filter((line) => line.startsWith('isthmus_feed_records_total{'));
    expect(types).toHaveLength(51);
    expect(types).toContain('isthmus_feed_records_total{type="other"} 350');
  });

  it('say on every series whose they are, and which version runs', async () => {
    const metrics = new Metrics();
    metrics.worker({ federation: 'lake', account: 'contoso', version: '1.2.3' });
    metrics.feedPoll();
    const series = await seriesOf(metrics);
    expect(series).toContain('isthmus_feed_polls_total{federation="lake"} 1');
    expect(series.find((line) => line.startsWith('isthmus_worker_info'))).toContain('version="1.2.3"');
    expect(series.filter((line) => !line.includes('federation="lake"'))).toEqual([]);
  });
});

it('forgets a judge that is not told of any more, so that nothing of it rings for ever', async () => {
  const metrics = new Metrics();
  const judge: JudgeHead = {
    ...({ judge: 'listing', sink: undefined, about: 'listing' } as const),
    ...{ everyMs: 1_000, lastGood: 1_000, waitedSince: 1_000 },
    ...{ byOutcome: { failed: 1 }, last: undefined, current: [], underWay: undefined, waiting: [], stallLimitMs: 1 },
    ...{ failed: true, drift: {}, findings: [], repeated: {}, alarms: [] },
  };
  const glance = { at: 1_000, sources: [], feed: undefined, senders: undefined };
  const series = async () => (await metrics.registry.metrics()).match(/^isthmus_reconcile_\S+\{.*$/gm) ?? [];
  metrics.glance({ ...glance, judges: [judge] }, [], 1_000);
  expect(await series()).toContain('isthmus_reconcile_failed{judge="listing",sink=""} 1');
  metrics.glance({ ...glance, judges: [] }, [], 1_000);
  expect(await series()).toEqual([]);
});
