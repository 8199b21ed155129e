import { once } from 'node:events';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** A value of one column as COPY's text format takes it; bytes are given as `\x` and hex. */
export type CopyValue = string | number | null | undefined;

const FLUSH = 256 * 1024;

/**
 * Copies rows into a table, one statement, with the stream's back-pressure: what waits in this process is a
 * few hundred kilobytes whatever comes.
 *
 * @returns how many rows were copied.
 */
export async function copyRows(
  client: ClientBase,
  into: string,
  rows: Iterable<readonly CopyValue[]> | AsyncIterable<readonly CopyValue[]>,
): Promise<number> {
  const stream = client.query(copyFrom(`copy ${into} from stdin`));
  let count = 0;
  let text = '';
  try {
    for await (const row of rows) {
      text += copyLine(row);
      count++;
      if (text.length < FLUSH) continue;
      if (!stream.write(text)) await once(stream, 'drain');
      text = '';
    }
    const done = once(stream, 'finish');
    stream.end(text);
    await done;
    return count;
  } catch (error) {
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.on('error', () => {});
    stream.destroy();
    await closed;
    throw error;
  }
}

const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One row of COPY's text format (Postgres documentation, `COPY`, "Text Format"). */
export function copyLine(values: readonly CopyValue[]): string {
  let line = '';
  for (const [at, value] of values.entries()) {
    if (at > 0) line += '\t';
    if (value === null || value === undefined) line += '\\N';
    else if (typeof value === 'number') line += value;
    else line += copyText(value);
  }
  return `${line}\n`;
}

/** A text as a value of such a row. */
export function copyText(value: string): string {
  return /[\\\n\r\t]/.test(value) ? value.replace(/[\\\n\r\t]/g, (each) => ESCAPED[each] ?? each) : value;
}
