import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../namespace/decide.ts';
import type { Entry } from '../../namespace/entry.ts';
import { isLive } from '../../namespace/liveness.ts';
import { BLOB_RULE, event, LIVING, MARGIN, POLICY } from './arbitraries.ts';

/** A stub task as the index has it: due or not, and the revision at which it was claimed. It names no action. */
type Step =
  | { readonly do: 'event'; readonly at: number }
  | { readonly do: 'claim' }
  | { readonly do: 'finish' | 'crash'; readonly at: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.nat().map((at): Step => ({ do: 'event', at })),
  fc.constant<Step>({ do: 'claim' }),
  fc.nat().map((at): Step => ({ do: 'finish', at })),
  fc.nat().map((at): Step => ({ do: 'crash', at })),
);

describe('stub tasks', () => {
  it('6: dropped, repeated and reordered, leave the stub that the entry asks for once none is due', () => {
    const events = fc.array(event, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(events, fc.array(step, { maxLength: 40 }), (news, steps) => {
        let row: Entry | undefined;
        let due = false;
        let stub: { readonly etag: string; readonly revision: number } | undefined;
        const claims: { readonly revision: number; readonly etag: string | undefined }[] = [];

        const claim = () => {
          if (!due || row === undefined) return;
          const etag = isLive(row, LIVING, MARGIN) ? row.attributes?.etag : undefined;
          claims.push({ revision: row.revision, etag });
        };
        // A stub keeps the revision that it was written for, so that a writer that comes late can tell.
        const finish = (at: number, crash: boolean) => {
          const [task] = claims.splice(at % Math.max(claims.length, 1), 1);
          if (task === undefined) return;
          if (row !== undefined && task.revision === row.revision)
            stub = task.etag === undefined ? undefined : { ...task, etag: task.etag };
          if (!crash && task.revision === row?.revision) due = false;
        };
        for (const next of steps) {
          if (next.do === 'claim') claim();
          else if (next.do !== 'event') finish(next.at, next.do === 'crash');
          else {
            const told = news[next.at % news.length];
            const decision = told && decide(row, told, LIVING, BLOB_RULE, POLICY, 1);
            if (decision?.outcome !== 'apply' && decision?.outcome !== 'look') continue;
            row = decision.next;
            due = true;
          }
        }
        while (due && row !== undefined) {
          claim();
          finish(claims.length - 1, false);
        }
        const asked = row !== undefined && isLive(row, LIVING, MARGIN) ? row.attributes?.etag : undefined;
        expect(stub?.etag).toBe(asked);
      }),
      { numRuns: 2_000 },
    );
  });
});
