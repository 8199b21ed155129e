/** Serves a folder as Blob Storage does; says its port. */
import { serveBlobs } from './blob-server.ts';
import { argumentOf, say } from './child.ts';

const { folder } = argumentOf<{ readonly folder: string }>();
const { port } = await serveBlobs(folder);
say({ port });
