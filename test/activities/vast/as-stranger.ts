import { existsSync } from 'node:fs';
import { FileViewSink } from '../../../activities/vast/file-view/file-view-sink.ts';
import { parseKey } from '../../../namespace/key.ts';

/** Works a view as a user who is not root: `as-stranger.ts ROOT probe|sidecar`. Prints what each step answered. */
const [root = '', attributes] = process.argv.slice(2);
process.setgid?.(65_534);
process.setuid?.(65_534);
const sink = new FileViewSink({ root, attributes: attributes === 'sidecar' ? 'sidecar' : 'probe', threads: 1 });
const signal = new AbortController().signal;
const key = parseKey('lake/a/b');
const stub = (revision: number, etag: string) => ({
  key,
  revision,
  attributes: { etag, length: 5, lastModified: 1_700_000_000_000 + revision },
});
const open = async () =>
  (async function* () {
    yield Buffer.from('bytes');
  })();

const { readsThroughMode } = await sink.capabilities();
const results = [
  await sink.putStub(stub(1, '0x1'), signal),
  await sink.putStub(stub(1, '0x1'), signal),
  await sink.putStub(stub(2, '0x1'), signal),
  await sink.putStub(stub(3, '0x3'), signal),
  await sink.hydrate(stub(3, '0x3'), open, signal),
  await sink.hydrate(stub(3, '0x3'), open, signal),
  await sink.putStub(stub(4, '0x3'), signal),
  await sink.putStub(stub(5, '0x5'), signal),
  await sink.remove(key, signal),
];
const left = existsSync(`${root}/lake`);
process.stdout.write(JSON.stringify([...results.map(({ outcome }) => outcome), readsThroughMode || left]));
await sink.close();
