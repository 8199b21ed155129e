import type { Finding } from '../../../../cli/feed/verify/finding.ts';
import type { VerifiedFeed } from '../../../../cli/feed/verify/verify-feed.ts';

/** Everything that a verification finds, and its counts. */
export async function collect(
  verifying: AsyncGenerator<Finding, VerifiedFeed>,
): Promise<VerifiedFeed & { readonly found: readonly Finding[] }> {
  const found: Finding[] = [];
  for (;;) {
    const next = await verifying.next();
    if (next.done === true) return { ...next.value, found };
    found.push(next.value);
  }
}
