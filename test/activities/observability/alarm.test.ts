import { describe, expect, it } from 'vitest';
import { type Alarm, AlarmLog } from '../../../activities/observability/alarm.ts';

const alarm = (kind: Alarm['kind']): Alarm => ({ source: 'feed', kind, message: `it is ${kind}`, since: 1_000 });

function recorded() {
  const lines: string[] = [];
  const write = (level: string) => (_: object, text: string) => lines.push(`${level} ${text}`);
  const log = new AlarmLog({ error: write('error'), info: write('info') } as never);
  return { log, lines };
}

describe('9: alarms in the log', () => {
  it('9: are raised once and cleared once, however often they are seen', () => {
    const { log, lines } = recorded();
    for (const now of [51_000, 56_000, 61_000]) expect(log.observe([alarm('silent')], now)).toHaveLength(1);
    expect(log.observe([], 66_000)).toEqual([]);
    log.observe([], 71_000);
    expect(lines).toEqual(['error Alarm: feed: it is silent', 'info Over after 65 s: the alarm of feed (silent)']);
  });

  it('9: come again when what they are about comes again', () => {
    const { log, lines } = recorded();
    log.observe([alarm('gap')], 2_000);
    log.observe([], 3_000);
    log.observe([alarm('gap')], 4_000);
    expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(2);
  });

  it('9: of one kind do not hide those of another', () => {
    const { log, lines } = recorded();
    log.observe([alarm('silent')], 2_000);
    log.observe([alarm('silent'), alarm('gap')], 3_000);
    expect(lines).toEqual(['error Alarm: feed: it is silent', 'error Alarm: feed: it is gap']);
  });

  it('9: of a lag wait for the second glance, as a quiet feed has one for a moment', () => {
    const { log, lines } = recorded();
    expect(log.observe([alarm('lag')], 2_000)).toEqual([]);
    log.observe([], 3_000);
    expect(lines).toEqual([]);
    log.observe([alarm('lag')], 4_000);
    expect(log.observe([alarm('lag')], 5_000)).toHaveLength(1);
    expect(lines).toEqual(['error Alarm: feed: it is lag']);
  });
});
