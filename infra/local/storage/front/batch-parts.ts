import type { IncomingHttpHeaders } from 'node:http';

/** One request of a batch. */
export interface BatchRequest {
  readonly id: string;
  readonly method: string;
  /** The raw target: path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** One answer of a batch, under the id of its request. */
export interface BatchAnswer {
  readonly id: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** The requests in the body of a Blob Batch (multipart/mixed of application/http parts); a part that is none is left out. */
export function batchRequests(contentType: string | undefined, body: string): readonly BatchRequest[] {
  return partsOf(contentType, body).flatMap(({ id, start, headers }) => {
    const [method, url] = start.split(' ');
    if (method === undefined || url === undefined) return [];
    return [{ id, method, url: url.startsWith('/') ? url : `/${url}`, headers }];
  });
}

/** The answers in the body of a Blob Batch's answer. */
export function batchAnswers(contentType: string | undefined, body: string): readonly BatchAnswer[] {
  return partsOf(contentType, body).map(({ id, start, headers }) => ({
    id,
    status: Number(start.split(' ')[1]),
    headers,
  }));
}

function partsOf(contentType: string | undefined, body: string) {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType ?? '')?.[1];
  if (boundary === undefined) return [];
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const [envelope = '', start = '', ...lines] = splitPart(part);
      return { id: headersOf(envelope.split('\n'))['content-id']?.toString() ?? '', start, headers: headersOf(lines) };
    });
}

/** The part's own headers as one text, then the lines of the message in it up to its body. */
function splitPart(part: string): string[] {
  const text = part.replaceAll('\r\n', '\n').replace(/^\n/, '');
  const gap = text.indexOf('\n\n');
  const message = gap < 0 ? '' : text.slice(gap + 2);
  const end = message.indexOf('\n\n');
  return [gap < 0 ? text : text.slice(0, gap), ...(end < 0 ? message : message.slice(0, end)).split('\n')];
}

function headersOf(lines: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}
