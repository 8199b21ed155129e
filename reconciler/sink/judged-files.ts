import type { RuleIndex } from '../../namespace/authority.ts';
import { isStorableKey } from '../../schema/index/storable.ts';
import type { SinkFile } from '../../schema/ports/sink.ts';
import type { JudgedSink } from './sink-judging.ts';

export interface JudgedFile {
  readonly file: SinkFile;
  /** A file of ours in a sink that its rule does not name. */
  readonly stray: boolean;
}

/**
 * Walks a sink for what is Isthmus's business: files that it made, and others where a rule gives the place to Blob
 * and to this sink, as nobody else may write there. What VAST has the authority over is its own.
 */
export async function* judgedFiles(
  { name, sink }: JudgedSink,
  match: RuleIndex,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<JudgedFile> {
  for await (const file of sink.walk(prefix, signal)) {
    signal.throwIfAborted();
    const rule = match.match(file.key);
    if (rule?.authority === 'vast' || !isStorableKey(file.key)) continue;
    const stray = rule?.sink !== name;
    if (!stray || file.state !== 'foreign') yield { file, stray };
  }
}
