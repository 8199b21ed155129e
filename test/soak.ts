import { parseArgs } from 'node:util';
import { soakRounds } from './reconciler/drift/soak-rounds.ts';
import { runCampaign } from './simulation/campaign.ts';
import { WORLDS } from './simulation/world.ts';

/**
 * Plays many simulated histories against the clock rules, then many accounts with planted drift against the judge:
 * `npm run soak -- --histories N --rounds N --seed S`. Exits 0 where none failed.
 */
const { values } = parseArgs({
  options: {
    histories: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    /** Plays this history alone, as a failure names it, and tells its story. */
    stream: { type: 'string' },
    /** Of planted drift; the first has this seed. */
    rounds: { type: 'string', default: '3000' },
  },
});
const seed = Number(values.seed);
const histories = values.stream === undefined ? Number(values.histories) : 1;
const rounds = values.stream === undefined ? Number(values.rounds) : 0;
if (![seed, histories, rounds].every(Number.isSafeInteger) || histories < 0 || rounds < 0) {
  process.stderr.write('usage: npm run soak -- [--histories N] [--rounds N] [--seed S] [--stream N]\n');
  process.exit(64);
}

const started = performance.now();
let told = started;
const result = runCampaign({
  histories,
  seed,
  from: values.stream === undefined ? 0 : Number(values.stream),
  ...(values.stream === undefined ? {} : { tell: (line: string) => process.stdout.write(`${line}\n`) }),
  onProgress(played, failures) {
    const now = performance.now();
    if (now - told < 2_000) return;
    told = now;
    const rate = Math.round(played / ((now - started) / 1_000));
    process.stderr.write(`${played} of ${histories} histories, ${rate}/s, ${failures} failed\n`);
  },
});
for (const { world, stream, reason } of result.failures) {
  process.stdout.write(`failed: --seed ${seed} --stream ${stream} (${world}): ${reason}\n`);
}
const seconds = ((performance.now() - started) / 1_000).toFixed(1);
const { changes, looks, looksOnReplay, failures } = result;
process.stdout.write(
  `${result.histories} histories in ${WORLDS.length} worlds, ${changes} changes, ${looks} looks, ` +
    `${looksOnReplay} looks on a second replay, ${failures.length} failed, ${seconds} s\n`,
);
const sound = rounds === 0 || (await soakRounds({ from: seed, rounds }));
process.exitCode = failures.length === 0 && sound ? 0 : 1;
