import type { Attributes } from './entry.ts';

/** Two accounts of one version of a blob (the same ETag): what `told` tells stands, what it does not tell stays. */
export function mergeAttributes(before: Attributes, told: Attributes): Attributes {
  return {
    etag: told.etag,
    length: told.length,
    blobType: told.blobType ?? before.blobType,
    contentType: told.contentType ?? before.contentType,
    md5: told.md5 ?? before.md5,
    lastModified: told.lastModified ?? before.lastModified,
    tier: told.tier ?? before.tier,
    metadata: told.metadata ?? before.metadata,
  };
}

/** Whether the two tell the same in every field. */
export function sameAttributes(a: Attributes, b: Attributes): boolean {
  return (
    a.etag === b.etag &&
    a.length === b.length &&
    a.blobType === b.blobType &&
    a.contentType === b.contentType &&
    a.md5 === b.md5 &&
    a.lastModified === b.lastModified &&
    a.tier === b.tier &&
    sameMetadata(a.metadata, b.metadata)
  );
}

/**
 * Whether `told` is the version that `known` describes and tells nothing that differs. Under one ETag only two
 * things can: the tier, which changes without a new ETag, and the length, which events of append and page
 * blobs tell too early.
 */
export function agrees(told: Attributes, known: Attributes): boolean {
  return (
    told.etag === known.etag &&
    told.length === known.length &&
    (told.tier === undefined || known.tier === undefined || told.tier === known.tier)
  );
}

function sameMetadata(a: Attributes['metadata'], b: Attributes['metadata']): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
