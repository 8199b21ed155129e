import { z } from 'zod';
import { validatePrefix } from '../../namespace/authority.ts';
import { formatKey } from '../../namespace/key.ts';
import { canaryKey } from './canary.ts';
import { nearest } from './nearest.ts';

/** What of a file is related to something else in it, as far as it can be read where the rest of the file is wrong. */
const readable = z
  .object({
    name: z.string().catch(''),
    account: z.object({ hierarchical: z.boolean().catch(false) }).catch({ hierarchical: false }),
    sources: z
      .object({
        changeFeed: z.unknown().optional(),
        eventHubs: z.unknown().optional(),
        serviceBus: z.unknown().optional(),
        canary: z.object({ container: z.string() }).optional().catch(undefined),
      })
      .catch({}),
    sinks: z.record(z.string(), z.unknown()).catch({}),
    rules: z
      .array(
        z
          .object({ prefix: z.string().optional().catch(undefined), sink: z.string().optional().catch(undefined) })
          .catch({}),
      )
      .catch([]),
  })
  .nullable()
  .catch(null);

type Readable = NonNullable<z.output<typeof readable>>;
type Context = z.core.$RefinementCtx;

/**
 * Tells of what no part of a federation file shows alone, also where other parts are wrong, so that all is told at once.
 * What would only follow from another problem is left to it.
 */
export function relate(federation: unknown, context: Context): void {
  const read = readable.parse(federation);
  if (read === null) return;
  relateSources(read, context);
  relateRules(read, context);
}

function relateSources(federation: Readable, context: Context): void {
  const { account, sources, rules } = federation;
  const refuse = (path: string[], message: string, input: unknown) =>
    context.addIssue({ code: 'custom', path: ['sources', ...path], message, input });
  if (account.hierarchical && sources.changeFeed !== undefined) {
    const message = 'cannot be named with account.hierarchical: Azure writes no Change Feed for such an account';
    refuse(['changeFeed'], message, sources);
  }
  const isTroubled = (part: string) => context.issues.some(({ path }) => path?.join('.') === part);
  const { canary: wanted, eventHubs: hubs, serviceBus: bus } = sources;
  // A key of `sources` that is not known may be what it waits for.
  if (wanted !== undefined && hubs === undefined && bus === undefined && !isTroubled('sources')) {
    refuse(['canary'], 'has no trigger to wait for: name sources.serviceBus or sources.eventHubs', sources);
  }
  const key = canaryKey(federation);
  if (key === undefined || isTroubled('name')) return;
  const isRule = rules.some(({ prefix }) => prefix === formatKey(key));
  const bad = validatePrefix(formatKey(key)) ?? (isRule ? 'is a rule of its own' : undefined);
  if (bad === undefined) return;
  refuse(['canary', 'container'], `cannot hold the canary, whose name '${formatKey(key)}' ${bad}`, key.container);
}

function relateRules({ sinks, rules }: Readable, context: Context): void {
  const seen = new Map<string, number>();
  // One that is there with a name or a value that is wrong is a problem of its own.
  const wrong = context.issues.flatMap(({ path = [] }) => (path[0] === 'sinks' ? path.slice(1, 2).map(String) : []));
  const names = [...new Set([...Object.keys(sinks), ...wrong])];
  for (const [at, { prefix, sink }] of rules.entries()) {
    const refuse = (part: 'prefix' | 'sink', message: string, input: string) =>
      context.addIssue({ code: 'custom', path: ['rules', at, part], message, input });
    if (prefix !== undefined) {
      const reason = validatePrefix(prefix);
      if (reason !== undefined) refuse('prefix', reason, prefix);
      const first = seen.get(prefix);
      if (first !== undefined) refuse('prefix', `is there twice: rule ${first + 1} has it already`, prefix);
      seen.set(prefix, first ?? at);
    }
    if (sink === undefined || names.length === 0 || names.includes(sink)) continue;
    const near = nearest(sink, names);
    const hint =
      near === undefined
        ? `is none of the sinks: ${names.join(', ')}`
        : `is none of the sinks; did you mean '${near}'?`;
    refuse('sink', hint, sink);
  }
}
