import { approvedStep } from './steps/approved.ts';
import { changeStep } from './steps/change.ts';
import { directoriesStep } from './steps/directories.ts';
import { hydratedStep } from './steps/hydrated.ts';
import { inventoryAloneStep } from './steps/inventory-alone.ts';
import { killedStep } from './steps/killed.ts';
import { lostTriggersStep } from './steps/lost-triggers.ts';
import { recordedStep } from './steps/recorded.ts';
import { sameNewsStep } from './steps/same-news.ts';
import { uploadStep } from './steps/upload.ts';
import { verifiedStep } from './steps/verified.ts';
import type { Step } from './story.ts';

const WITH_FEED: readonly Step[] = [
  uploadStep,
  changeStep,
  lostTriggersStep,
  inventoryAloneStep,
  approvedStep,
  killedStep,
  hydratedStep,
  sameNewsStep,
  recordedStep,
  verifiedStep,
];

/** What the feed alone can show is left out; directories, which only such an account has, come in. */
const HIERARCHICAL: readonly Step[] = [
  uploadStep,
  changeStep,
  inventoryAloneStep,
  approvedStep,
  killedStep,
  directoriesStep,
  hydratedStep,
  sameNewsStep,
  verifiedStep,
];

/** The steps of the story in their order, each by the title that it has on such an account. */
export function plotOf(hierarchical: boolean): readonly Step[] {
  if (!hierarchical) return WITH_FEED;
  return HIERARCHICAL.map((step) => ({ ...step, title: step.titleWithoutFeed ?? step.title }));
}
