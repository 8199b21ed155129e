import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Metrics } from '../../../activities/observability/metrics.ts';
import { findPromtool } from '../../../infra/local/find-prometheus.ts';

const FOLDER = fileURLToPath(new URL('../../../infra/alerts', import.meta.url));
const RULES = path.join(FOLDER, 'isthmus.rules.yaml');
const run = promisify(execFile);

/** What Prometheus itself puts on every series of a target, and what every metric of ours carries. */
const GIVEN_LABELS = ['job', 'instance', 'federation'];

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly annotations: { readonly summary: string; readonly description: string };
}

async function readRules(): Promise<readonly Rule[]> {
  const { groups } = parse(await readFile(RULES, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

function seconds(duration = '0s'): number {
  const [, number, unit] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Number(number) * ({ s: 1, m: 60, h: 3_600 }[unit ?? ''] ?? Number.NaN);
}

describe('9: alert rules', () => {
  it('9: fire within a minute of what they are about, and only then, says promtool', async (context) => {
    const promtool = await findPromtool({ onProgress: (doing) => process.stderr.write(`${doing}\n`) });
    if (promtool.path === undefined) {
      process.stderr.write(`The alert rules are not tested:\n  - ${promtool.tried.join('\n  - ')}\n`);
      return context.skip(promtool.tried.join('; '));
    }
    const checked = await run(promtool.path, ['check', 'rules', RULES]);
    expect(checked.stdout).toContain('SUCCESS');
    // It prints what failed, and exits with 1.
    const tested = await run(promtool.path, ['test', 'rules', path.join(FOLDER, 'isthmus.rules.test.yaml')]).catch(
      (error: { stdout?: string; stderr?: string }) => ({ stdout: `${error.stdout}${error.stderr}` }),
    );
    expect(tested.stdout).toContain('SUCCESS');
    expect(tested.stdout).not.toContain('FAILED');
  }, 1_500_000);

  it('9: use no metric and no label that a worker does not have', async () => {
    const { registry } = new Metrics();
    const unknown: string[] = [];
    for (const { alert, expr } of await readRules()) {
      const labels = new Set(GIVEN_LABELS);
      for (const [, name = '', matchers = ''] of expr.matchAll(/\b(isthmus_[a-z_]+)\s*(?:\{([^}]*)\})?/g)) {
        const metric = registry.getSingleMetric(name) as { readonly labelNames?: readonly string[] } | undefined;
        if (metric === undefined) unknown.push(`${alert}: ${name}`);
        const known = [...GIVEN_LABELS, ...(metric?.labelNames ?? [])];
        for (const label of known) labels.add(label);
        for (const [, label = ''] of matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)) {
          if (!known.includes(label)) unknown.push(`${alert}: ${name} has no label ${label}`);
        }
      }
      for (const [, list = ''] of expr.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)) {
        for (const label of list.split(',').map((each) => each.trim())) {
          if (!labels.has(label)) unknown.push(`${alert}: nothing in it has a label ${label}`);
        }
      }
    }
    expect(unknown).toEqual([]);
  });

  it('9: say what is wrong and what to do, and wait no longer than leaves the rest of the minute', async () => {
    const rules = await readRules();
    expect(rules.map(({ alert }) => alert)).toEqual(
      expect.arrayContaining([
        ...['IsthmusWorkerAbsent', 'IsthmusFeedSilent', 'IsthmusFeedPollStopped', 'IsthmusFeedLag', 'IsthmusFeedGap'],
        ...['IsthmusFeedUnreadable', 'IsthmusTriggersDistrusted', 'IsthmusLoopStopped'],
        ...['IsthmusTriggersUnannounced', 'IsthmusTriggersLate'],
        'IsthmusDeadLetters',
        ...[
          'IsthmusReconcileOverdue',
          'IsthmusSinkJudgementOverdue',
          'IsthmusReconcileFailed',
          'IsthmusReconcileStuck',
        ],
        ...['IsthmusDeletesWaitForApproval', 'IsthmusDriftAboveLimit', 'IsthmusDriftRepeated'],
      ]),
    );
    for (const rule of rules) {
      expect(rule.annotations.summary.length, rule.alert).toBeGreaterThan(20);
      expect(rule.annotations.description.length, rule.alert).toBeGreaterThan(80);
      expect(seconds(rule.for), rule.alert).toBeLessThanOrEqual(30);
    }
  });
});
