/** Inspects the root that is given as argument, and tells who forked it. */
import { inspectView } from './view-inspection.ts';

const found = await inspectView(process.argv[2] ?? '');
process.send?.(found, () => process.disconnect());
