import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeTriggers } from '../../../schema/events/decode.ts';
import { hasRealData, REAL_DATA } from '../../support/real-data.ts';

const ACCOUNT = 'jolovdfs';

function event(type: string, data: object, more: object = {}) {
  return {
    id: 'id-1',
    source: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/${ACCOUNT}`,
    subject: '/blobServices/default/containers/c/blobs/new/dir',
    type: `Microsoft.Storage.${type}`,
    time: '2026-01-02T03:04:05.6789012Z',
    data,
    ...more,
  };
}

function decode(body: unknown) {
  return decodeTriggers(body, ACCOUNT);
}

const SOURCE = `https://${ACCOUNT}.dfs.core.windows.net/c/old%20dir/`;

describe('the event of a directory', () => {
  it('that was deleted names it, and whether with what was in it, which Azure says as a string', () => {
    for (const [recursive, expected] of [
      ['true', true],
      ['false', false],
      [undefined, true],
    ] as const) {
      const { read, refused } = decode(event('DirectoryDeleted', { api: 'DeleteDirectory', recursive }));
      expect(refused).toEqual([]);
      expect(read).toEqual([
        {
          kind: 'subtree',
          account: ACCOUNT,
          subtree: {
            ...{ gone: { container: 'c', name: 'new/dir' }, made: undefined, recursive: expected },
            ...{ time: Date.parse('2026-01-02T03:04:05.678Z'), eventId: 'id-1', api: 'DeleteDirectory' },
          },
        },
      ]);
    }
  });

  it('that was renamed names the old one and the new one, from whichever address is there', () => {
    for (const data of [{ sourceUrl: SOURCE }, { sourceBlobUrl: SOURCE.replace('.dfs.', '.blob.'), sourceUrl: 'x' }]) {
      const [read] = decode(event('DirectoryRenamed', { api: 'RenameDirectory', ...data })).read;
      expect(read).toMatchObject({
        kind: 'subtree',
        subtree: {
          gone: { container: 'c', name: 'old dir' },
          made: { container: 'c', name: 'new/dir' },
          recursive: true,
        },
      });
    }
  });

  it('that was created is no change: what is written below is told of by itself', () => {
    expect(decode(event('DirectoryCreated', { api: 'CreateDirectory' })).read).toMatchObject([
      { kind: 'ignored', reason: 'directory' },
    ]);
  });

  it.each([
    ['DirectoryRenamed', { api: 'RenameDirectory' }, {}, /data\.sourceBlobUrl or data\.sourceUrl/],
    ['DirectoryRenamed', { api: 'RenameDirectory', sourceUrl: 'https://elsewhere/' }, {}, /sourceUrl/],
    ['DirectoryDeleted', { api: 'DeleteDirectory', recursive: 'maybe' }, {}, /data\.recursive/],
    ['DirectoryDeleted', { recursive: 'true' }, {}, /data\.api/],
    ['DirectoryDeleted', { api: 'x' }, { subject: '/blobServices/default/containers/c' }, /subject: expected/],
    ['DirectoryDeleted', { api: 'x' }, { subject: '/blobServices/default/containers/c/blobs//' }, /has no name/],
    ['DirectoryDeleted', { api: 'x' }, { subject: '/blobServices/default/containers/c/blobs/a\u0000' }, /U\+0000/],
    ['DirectoryDeleted', { api: 'x' }, { time: 'never' }, /time/],
  ])('%s %j that cannot be read says what is missing', (type, data, more, expected) => {
    const { read, refused } = decode(event(type, data, more));
    expect(read).toEqual([]);
    expect(refused.map(({ message }) => message)).toEqual([expect.stringMatching(expected)]);
  });

  it.runIf(hasRealData)('decodes from the specification as it is recorded', () => {
    const recorded = (path: string) =>
      decode(readFileSync(join(REAL_DATA, 'eventgrid/azure-rest-api-specs', path))).read;
    expect(recorded('event-grid-schema/directory_renamed.json')).toMatchObject([
      {
        subtree: {
          gone: { container: 'gaocontainer', name: 'gaoname' },
          made: { container: 'gaocontainer', name: 'gaonewdir' },
        },
      },
    ]);
    expect(recorded('cloud-events-schema/directory_deleted.json')).toMatchObject([
      { subtree: { gone: { container: 'gaocontainer', name: 'gaodir' }, recursive: false } },
    ]);
  });
});
