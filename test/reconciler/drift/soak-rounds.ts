import { openIndex } from '../../../schema/index/database.ts';
import { databaseUrl, startTestPostgres, TEMPLATE } from '../../support/postgres-server.ts';
import { fewPartitions } from '../support/few-partitions.ts';
import { playRounds } from './campaign.ts';

/** Plays rounds on a Postgres of their own, and tells of those that fail as they do. @returns whether none did. */
export async function soakRounds(of: { readonly from: number; readonly rounds: number }): Promise<boolean> {
  const server = await startTestPostgres();
  const index = openIndex(databaseUrl(server.url, TEMPLATE));
  const started = performance.now();
  try {
    await fewPartitions(index);
    let told = started;
    const { rounds, planted, raced, killed, failures } = await playRounds(index, {
      ...of,
      stopAt: 20,
      onFailure: (message) => process.stdout.write(`failed: ${message}\n`),
      onProgress(played, failed) {
        const now = performance.now();
        if (now - told < 2_000) return;
        told = now;
        process.stderr.write(`${played} of ${of.rounds} rounds, ${failed} failed\n`);
      },
    });
    const causes = Object.entries(planted)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([cause, count]) => `${cause} ${count}`);
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    process.stdout.write(
      `${rounds} rounds of planted drift (${causes.join(', ')}), ${raced} names written meanwhile, ` +
        `${killed} workers killed, ${failures.length} failed, ${seconds} s\n`,
    );
    return failures.length === 0;
  } finally {
    await index.close();
    await server.stop();
  }
}
