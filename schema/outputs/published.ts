import { z } from 'zod';
import { federationSchema } from '../federation/federation.ts';
import { controlOutput } from './control.ts';
import { deadletterLine, deadletterOutcome, deadletterShow } from './deadletter.ts';
import { demoOutput } from './demo.ts';
import { devOutput } from './dev.ts';
import { digestOutput } from './digest.ts';
import { doctorCheck, doctorOutput } from './doctor.ts';
import { driftCause, driftOutput, driftShowOutput, driftTrendOutput } from './drift.ts';
import { explainOutput } from './explain.ts';
import { feedDumpRecord } from './feed-dump.ts';
import { feedRewindOutput } from './feed-rewind.ts';
import { feedShowOutput } from './feed-show.ts';
import { feedSkipOutput } from './feed-skip.ts';
import { feedVerifyFinding, feedVerifyOutput } from './feed-verify.ts';
import { hydrateOutput } from './hydrate.ts';
import { lsEntry } from './ls.ts';
import { rebuildOutput } from './rebuild.ts';
import { reconcileDecideOutput, reconcileRunOutput, reconcileUndoOutput } from './reconcile.ts';
import { reconcileHistoryLine } from './reconcile-history.ts';
import { reconcilePlanOutput } from './reconcile-plan.ts';
import { reconcileSinkOutput } from './reconcile-sink.ts';
import { replayOutput } from './replay.ts';
import { replayFeedOutput } from './replay-feed.ts';
import { statusOutput } from './status.ts';
import { triggersTrustOutput } from './triggers-trust.ts';
import { verifyDifference, verifyOutput } from './verify.ts';

/** What each command prints with `--json`, by the name of its published schema. */
export const OUTPUTS = {
  control: controlOutput,
  'deadletter-list': deadletterLine,
  'deadletter-outcome': deadletterOutcome,
  'deadletter-show': deadletterShow,
  demo: demoOutput,
  dev: devOutput,
  digest: digestOutput,
  doctor: doctorOutput,
  'doctor-check': doctorCheck,
  drift: driftOutput,
  'drift-causes': driftCause,
  'drift-show': driftShowOutput,
  'drift-trend': driftTrendOutput,
  explain: explainOutput,
  'feed-dump': feedDumpRecord,
  'feed-rewind': feedRewindOutput,
  'feed-show': feedShowOutput,
  'feed-skip': feedSkipOutput,
  'feed-verify': feedVerifyOutput,
  'feed-verify-finding': feedVerifyFinding,
  hydrate: hydrateOutput,
  ls: lsEntry,
  rebuild: rebuildOutput,
  reconcile: reconcileRunOutput,
  'reconcile-decide': reconcileDecideOutput,
  'reconcile-history': reconcileHistoryLine,
  'reconcile-plan': reconcilePlanOutput,
  'reconcile-sink': reconcileSinkOutput,
  'reconcile-undo': reconcileUndoOutput,
  replay: replayOutput,
  'replay-feed': replayFeedOutput,
  status: statusOutput,
  'triggers-trust': triggersTrustOutput,
  verify: verifyOutput,
  'verify-difference': verifyDifference,
} as const;

/** Every published schema as a file: its path below `schema/`, and its text. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [name, schema] of Object.entries(OUTPUTS)) {
    files.set(`outputs/${name}.schema.json`, render(`isthmus ${name}`, z.toJSONSchema(schema)));
  }
  // As a file is written, before its defaults are put in.
  const federation = z.toJSONSchema(federationSchema, { io: 'input' });
  return files.set('federation/federation.schema.json', render('federation.yaml', federation));
}

function render(title: string, schema: object): string {
  return `${JSON.stringify({ title, ...schema }, undefined, 2)}\n`;
}
