import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { Listr } from 'listr2';
import type { Transport } from '../../infra/local/services-options.ts';
import { startStack } from '../../infra/local/stack.ts';
import { StorageControl } from '../../infra/local/storage/control-client.ts';
import { canaryKey } from '../../schema/federation/canary.ts';
import { loadFederation } from '../../schema/federation/load-federation.ts';
import { ensureAccount } from '../../schema/index/accounts.ts';
import { openIndex } from '../../schema/index/database.ts';
import { writeDemoFederation } from './federation.ts';
import { formatFigures } from './figures.ts';
import { plotOf } from './plot.ts';
import type { Figures, Story } from './story.ts';

interface DemoOptions {
  readonly json: boolean;
  /** What Event Grid delivers to. */
  readonly triggers: Transport;
  /** On an account with a hierarchical namespace. */
  readonly hierarchical: boolean;
  readonly signal: AbortSignal;
}

export interface DemoSummary {
  readonly ok: boolean;
  readonly seconds: number;
  readonly steps: readonly { readonly title: string; readonly seconds: number; readonly figures: Figures }[];
}

/**
 * Plays the whole story on a stack of its own in a temporary folder, which is gone afterwards, whatever happens.
 *
 * @returns the figures of every step.
 * @throws where a step does not come out as it must; the stack is stopped all the same.
 */
export async function runDemo(options: DemoOptions): Promise<DemoSummary> {
  const began = performance.now();
  const folder = await mkdtemp(path.join(tmpdir(), 'isthmus-demo-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const steps: { title: string; seconds: number; figures: Figures }[] = [];
  let story: Story | undefined;
  const tasks = new Listr(
    [
      {
        title: 'Start the embedded stack',
        task: async (_, task) => {
          story = await openStory(folder, options, cleanup, (doing) => {
            task.output = doing;
          });
          task.title = `Start the embedded stack: Temporal UI ${story.stack.env.TEMPORAL_UI_URL ?? ''}`;
        },
      },
      ...plotOf(options.hierarchical).map((step, at) => ({
        title: `${at + 1}. ${step.title}`,
        task: async (_: unknown, task: { output: unknown; title: string | unknown[] | undefined }) => {
          if (!story) throw new Error('The stack did not start.');
          const stepBegan = performance.now();
          const figures = await step.run(story, (doing) => {
            task.output = doing;
          });
          const seconds = Math.round((performance.now() - stepBegan) / 100) / 10;
          steps.push({ title: step.title, seconds, figures });
          task.title = `${at + 1}. ${step.title} (${seconds} s): ${formatFigures(figures)}`;
        },
      })),
    ],
    { concurrent: false, renderer: process.stdout.isTTY && !options.json ? 'default' : 'simple', exitOnError: true },
  );
  await tasks.run();
  return { ok: true, seconds: Math.round((performance.now() - began) / 100) / 10, steps };
}

async function openStory(
  folder: string,
  { triggers, hierarchical, signal }: DemoOptions,
  cleanup: AsyncDisposableStack,
  say: (doing: string) => void,
): Promise<Story> {
  const config = path.join(folder, 'federation.yaml');
  await writeDemoFederation(config, { hierarchical, triggers });
  const stack = await startStack({
    state: folder,
    ports: 'free',
    worker: true,
    triggers,
    hierarchical,
    feed: { segmentMs: 60_000, flushMs: 500 },
    signal,
    onProgress: say,
  });
  cleanup.defer(() => stack.stop());
  const index = openIndex(stack.env.DATABASE_URL ?? '', { max: 2, applicationName: 'isthmus-demo' });
  cleanup.defer(() => index.close());
  const federation = await loadFederation(stack.env.ISTHMUS_CONFIG ?? config, { ...process.env, ...stack.env });
  return {
    stack,
    index,
    signal,
    hierarchical,
    canary: canaryKey(federation),
    control: new StorageControl(stack.env.ISTHMUS_CONTROL_URL ?? ''),
    blobs: BlobServiceClient.fromConnectionString(stack.env.AZURE_STORAGE_CONNECTION_STRING ?? ''),
    account: await ensureAccount(index, stack.env.AZURE_STORAGE_ACCOUNT ?? ''),
    scratchDeletedAt: 0,
    triggersBackAt: 0,
    recorded: undefined,
  };
}
