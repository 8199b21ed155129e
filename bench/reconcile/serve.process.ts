/** Serves the lake and the folder of its report as Blob Storage does; says its port. */
import { argumentOf, say } from '../child.ts';
import { serveBlobs } from '../feed/blob-server.ts';
import type { Lake } from './lake.ts';
import { answerOf } from './lake-server.ts';

const { folder, lake } = argumentOf<{ readonly folder: string; readonly lake: Lake }>();
const { port } = await serveBlobs(folder, 0, answerOf(lake));
say({ port });
