/** Serves a folder as Blob Storage does; says its port. */

import { argumentOf, say } from '../child.ts';
import { serveBlobs } from './blob-server.ts';

const { folder } = argumentOf<{ readonly folder: string }>();
const { port } = await serveBlobs(folder);
say({ port });
