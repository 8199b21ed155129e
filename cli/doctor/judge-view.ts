import type { SeenRoot } from '../../activities/vast/file-view/view-identity.ts';
import { mendOfView, whyNotTheView } from '../../activities/vast/known-view.ts';
import type { SinkView } from '../../schema/index/sink-views.ts';
import { type Finding, good, wrong } from './finding.ts';
import type { NamedSink } from './judge-sink.ts';

/** Whether a root is the view that the index knows; nothing where it knows none, as the first worker takes what is there. */
export function judgeView(seen: SeenRoot, known: SinkView, { sink, root }: NamedSink): readonly Finding[] {
  const check = `sink.${sink}.view`;
  const why = whyNotTheView(known, seen);
  if (why !== undefined) {
    return [wrong(check, `${root} is not the view of sink ${sink}: ${why}`, mendOfView(sink, root))];
  }
  return known.viewId === undefined ? [] : [good(check, `${root} is the view that the index knows`)];
}
