import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

/** One line that is drawn over itself, on a terminal that people watch; elsewhere nothing. Gone when disposed of. */
export interface ProgressLine extends Disposable {
  show(text: string): void;
}

export function progressLine({ interactive }: Terminal): ProgressLine {
  if (!interactive) return { show() {}, [Symbol.dispose]() {} };
  const bar = new SingleBar({ format: '{text}', clearOnComplete: true, hideCursor: true, stopOnComplete: false });
  bar.start(1, 0, { text: '' });
  return {
    show: (text) => bar.update(0, { text }),
    [Symbol.dispose]: () => bar.stop(),
  };
}
