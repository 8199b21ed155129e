import type { IncomingMessage } from 'node:http';
import { type Exchange, giveUp, requestHeaders, withoutHops } from './forward.ts';
import { collect } from './forward-batch.ts';
import type { Upstream } from './upstream.ts';

/** Azurite lists the feed's container; Azure never does, though it can be read by name. */
const HIDDEN = /<Container><Name>\$blobchangefeed(?:sys)?<\/Name>.*?<\/Container>/gs;

/** Passes List Containers on, without the containers that Azure hides. A page may be one short, as Azure's may. */
export async function listContainers(upstream: Upstream, exchange: Exchange): Promise<void> {
  const { request, response, cutAfter } = exchange;
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sending = upstream.open('GET', request.url ?? '/', requestHeaders(request));
      sending.once('response', resolve).on('error', reject).end();
    });
    const body = (await collect(answer)).toString().replace(HIDDEN, '');
    if (cutAfter) {
      request.socket.destroy();
      return;
    }
    const headers = withoutHops(answer.rawHeaders, true);
    const kept = headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== 'content-length');
    response
      .writeHead(answer.statusCode ?? 502, [...kept, 'Content-Length', String(Buffer.byteLength(body))])
      .end(body);
  } catch (error) {
    giveUp(exchange, error);
  }
}
