/** A blob as a listing writes it; what is not given is not written, and what is empty is written so. */
export interface WrittenBlob {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly metadata?: readonly (readonly [string, string])[];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: They are what XML cannot hold.
const OUTSIDE_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** An answer to List Blobs as Blob Storage writes it, with its byte order mark, and all on one line. */
export function pageText({
  blobs = [],
  prefixes = [],
  nextMarker = '',
}: {
  readonly blobs?: readonly WrittenBlob[];
  readonly prefixes?: readonly string[];
  readonly nextMarker?: string;
}): string {
  const items = [...blobs.map(blobText), ...prefixes.map((name) => element('BlobPrefix', nameText(name)))].join('');
  return (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>' +
    '<EnumerationResults ServiceEndpoint="https://acme.blob.core.windows.net/" ContainerName="c">' +
    `<Prefix>a&amp;b</Prefix><MaxResults>5000</MaxResults>${element('Blobs', items)}` +
    `${element('NextMarker', escaped(nextMarker))}</EnumerationResults>`
  );
}

/** What every blob has. */
export const PROPERTIES = {
  'Creation-Time': 'Mon, 01 Jan 2024 00:00:00 GMT',
  'Last-Modified': 'Mon, 01 Jan 2024 00:00:01 GMT',
  Etag: '0x8DC0A5B8F0E4C0A',
  'Content-Length': '12',
} as const;

function blobText({ name, properties, metadata }: WrittenBlob): string {
  const written = Object.entries(properties).map(([property, value]) => element(property, escaped(value)));
  const tags = metadata?.map(([tag, value]) => element(tag, escaped(value)));
  return element(
    'Blob',
    `${nameText(name)}${element('Properties', written.join(''))}${tags === undefined ? '' : element('Metadata', tags.join(''))}<OrMetadata />`,
  );
}

function nameText(name: string): string {
  if (!OUTSIDE_XML.test(name)) return element('Name', escaped(name));
  return `<Name Encoded="true">${encodeURIComponent(name)}</Name>`;
}

function element(name: string, inside: string): string {
  return inside === '' ? `<${name} />` : `<${name}>${inside}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#xD;');
}
