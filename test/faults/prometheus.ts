import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { stringify } from 'yaml';
import { z } from 'zod';

const RULES = fileURLToPath(new URL('../../infra/alerts/isthmus.rules.yaml', import.meta.url));

const answer = z.object({
  data: z.object({
    alerts: z.array(
      z.object({
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()),
        state: z.enum(['pending', 'firing']),
      }),
    ),
  }),
});

export interface FiringAlert {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** A real Prometheus with the real rules that scrapes one worker; on 127.0.0.1 alone. */
export class Prometheus implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(
    file: string,
    { folder, worker }: { readonly folder: string; readonly worker: string },
  ): Promise<Prometheus> {
    await mkdir(folder, { recursive: true });
    const config = path.join(folder, 'prometheus.yaml');
    const scrape = { job_name: 'isthmus', scrape_interval: '5s', static_configs: [{ targets: [worker] }] };
    await writeFile(config, stringify({ rule_files: [RULES], scrape_configs: [scrape] }));
    const port = await getPort({ host: '127.0.0.1' });
    const log = openSync(path.join(folder, 'prometheus.log'), 'w');
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn(file, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    const prometheus = new Prometheus(child, `http://127.0.0.1:${port}`);
    for (const until = Date.now() + 60_000; ; await sleep(250)) {
      if (
        await fetch(`${prometheus.#url}/-/ready`)
          .then(({ ok }) => ok)
          .catch(() => false)
      )
        return prometheus;
      if (child.exitCode !== null || Date.now() > until) {
        await prometheus[Symbol.asyncDispose]();
        throw new Error(`Prometheus does not start: see ${folder}/prometheus.log`);
      }
    }
  }

  /** What fires now. */
  async firing(): Promise<readonly FiringAlert[]> {
    const { data } = answer.parse(await (await fetch(`${this.#url}/api/v1/alerts`)).json());
    return data.alerts.flatMap(({ state, labels: { alertname = '', ...labels }, annotations }) =>
      state === 'firing' ? [{ name: alertname, labels, summary: annotations.summary ?? '' }] : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await new Promise((resolve) => this.#child.once('exit', resolve));
  }
}
