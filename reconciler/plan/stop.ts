import type { DeleteStop } from '../../namespace/rule.ts';
import { counted } from '../../schema/counted.ts';

/** What of something a judge lacks. */
export interface Share {
  readonly missing: number;
  /** Live names in the judge's scope. */
  readonly live: number;
}

/** Of what a share is: everything that is judged, a container, or what one rule rules. */
export type ShareOf =
  | { readonly of: 'all' }
  | { readonly of: 'container'; readonly name: string }
  | { readonly of: 'rule'; readonly prefix: string };

export type ShareOfNames = ShareOf & Share;

/** A percent stop that tripped (invariant 7): nothing that is missing is looked at before a person approved it. */
export interface Tripped {
  readonly share: ShareOfNames;
  readonly stop: DeleteStop;
}

/** Whether more is missing than both bounds of the stop. */
export function trips({ missing, live }: Share, stop: DeleteStop): boolean {
  return missing > stop.names && missing * 100 > live * stop.percent;
}

/**
 * A judge that lists nothing at all proves nothing of an account; for one prefix it is what a deleted folder looks
 * like, and its names are few enough to be looked at.
 */
export function listsNothing(
  of: { readonly listed: number; readonly prefix: string } & Share,
  stop: DeleteStop,
): boolean {
  return of.listed === 0 && of.missing > 0 && (of.prefix === '' || of.missing > stop.names);
}

export function allowedText({ percent, names }: DeleteStop): string {
  return `allowed are ${percent} % or ${counted(names, 'name')}`;
}

/** Why it tripped, in words that go after the judge's name. */
export function trippedBecause({ share, stop }: Tripped): string {
  const { missing, live } = share;
  const percent = live === 0 ? 100 : (missing / live) * 100;
  const where =
    share.of === 'all' ? '' : share.of === 'container' ? ` of ${share.name}/` : ` under the rule '${share.prefix}'`;
  return `it lacks ${missing} of ${counted(live, 'live name')}${where} (${percent.toFixed(1)} %, ${allowedText(stop)})`;
}

/** The same where nothing was listed. */
export function nothingListed(live: number): string {
  return `it lists nothing at all, where the index has ${counted(live, 'live name')}`;
}
