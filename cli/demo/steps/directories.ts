import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { digestEntries } from '../../../schema/index/queries.ts';
import { inParallel } from '../parallel.ts';
import type { Step, Story } from '../story.ts';
import { awaitTruth } from '../truth.ts';
import { KILLED } from './killed.ts';
import { LAKE } from './upload.ts';

const RENAMED = 'survived';
const DELETED = '2026/11/05';
const WRITES = 400;
/** So many of the writes are begun before the rename, some are under way with it, the others find the directory gone. */
const WRITES_BEFORE = 100;
const AT_ONCE = 8;

/** What only an account with a hierarchical namespace has: one event for all that is in a directory. */
export const directoriesStep: Step = {
  title: 'A directory is renamed while it is written to, another is deleted',
  async run(story, say) {
    say(`renaming ${LAKE}/${KILLED} while blobs are written and deleted below it`);
    const moved = await renameUnderWrites(story);
    say(`deleting ${LAKE}/${DELETED}`);
    const { blobs: deleted } = await story.control.deleteDirectory(`${LAKE}/${DELETED}`);
    say('waiting for the truth');
    const settled = await awaitTruth(story);
    return {
      moved,
      writtenMeanwhile: WRITES,
      underNewName: await countBelow(story, RENAMED),
      underOldName: await countBelow(story, KILLED),
      deleted,
      underDeleted: await countBelow(story, DELETED),
      ...settled,
    };
  },
};

/** @returns how many blobs were moved. */
async function renameUnderWrites({ blobs, control }: Story): Promise<number> {
  const lake = blobs.getContainerClient(LAKE);
  const enough = Promise.withResolvers<void>();
  const writing = inParallel(Array.from({ length: WRITES }), AT_ONCE, async (_, at) => {
    if (at === WRITES_BEFORE) enough.resolve();
    const blob = lake.getBlockBlobClient(`${KILLED}/${at % 2 === 0 ? at : `new/${at}`}.bin`);
    if (at % 5 === 0) await blob.deleteIfExists();
    else await blob.upload(`beside the rename ${at}`, `beside the rename ${at}`.length);
  });
  const renaming = enough.promise.then(() => control.renameDirectory(`${LAKE}/${KILLED}`, `${LAKE}/${RENAMED}`));
  const [moved] = await Promise.all([renaming, writing]);
  return moved.blobs;
}

/**
 * How many blobs there are below a directory of the lake.
 *
 * @throws where the index or the file view shows another number.
 */
async function countBelow(story: Story, directory: string): Promise<number> {
  let source = 0;
  const listing = story.blobs.getContainerClient(LAKE).listBlobsFlat({ prefix: `${directory}/` });
  for await (const _ of listing) source += 1;
  const { entries } = await digestEntries(story.index, story.account.id, `${LAKE}/${directory}/`);
  const files = await filesBelow(path.join(story.stack.env.ISTHMUS_VAST_ROOT ?? '', LAKE, directory));
  if (entries === source && files === source) return source;
  throw new Error(
    `${LAKE}/${directory} holds ${source} blobs, of which the index shows ${entries} and the file view ${files}. ` +
      `Look at \`isthmus verify ${LAKE}/${directory}/\`.`,
  );
}

async function filesBelow(folder: string): Promise<number> {
  try {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    return found.filter((each) => each.isFile()).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
