import { createHmac } from 'node:crypto';

/** The one policy of the embedded brokers and its key (not a secret: it is in this repository). */
export const POLICY = 'RootManageSharedAccessKey';
export const POLICY_KEY = 'SAS_KEY_VALUE';

/**
 * Judges the token that a client puts before it attaches: `SharedAccessSignature sr=...&sig=...&se=...&skn=...`, signed
 * with a policy's key. What it is for is not judged: the one policy has every right.
 *
 * @returns why it is refused, in Azure's words; undefined where it is good.
 */
export function refusalOfToken(token: unknown, now: number): string | undefined {
  const [scheme, text = ''] = String(token).split(' ');
  // Signed is the text of `sr` as it was sent, in whatever case it is percent-encoded.
  const parts = new Map(text.split('&').map((part) => part.split(/=(.*)/s, 2) as [string, string | undefined]));
  const [resource, expiry] = [parts.get('sr'), parts.get('se')];
  if (scheme !== 'SharedAccessSignature' || resource === undefined || expiry === undefined) {
    return 'MalformedToken: The token is malformed.';
  }
  const signature = createHmac('sha256', POLICY_KEY).update(`${resource}\n${expiry}`).digest('base64');
  if (decode(parts.get('skn')) !== POLICY || decode(parts.get('sig')) !== signature) {
    return 'InvalidSignature: The token has an invalid signature.';
  }
  return Number(expiry) * 1000 < now ? 'ExpiredToken: The token is expired.' : undefined;
}

function decode(text = ''): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
