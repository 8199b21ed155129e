import type { Told } from '../../../../cli/feed/verify/finding.ts';
import type { VerifiedFeed } from '../../../../cli/feed/verify/verify-feed.ts';

/** Everything that a verification finds, and its counts. */
export async function collect(
  verifying: AsyncGenerator<Told, VerifiedFeed>,
): Promise<VerifiedFeed & { readonly found: readonly Told[] }> {
  const found: Told[] = [];
  for (;;) {
    const next = await verifying.next();
    if (next.done === true) return { ...next.value, found };
    found.push(next.value);
  }
}
