import { readFeedReport } from '../../activities/observability/feed-report.ts';
import type { Timestamp } from '../../namespace/entry.ts';
import { FeedCorruptError, FeedUnavailableError } from '../../schema/feed/feed-error.ts';
import type { SourceRow } from '../../schema/index/sources.ts';
import { formatTime } from '../format.ts';
import { explainStorageFailure, READER_ROLE } from './azure-failure.ts';
import { type Finding, good, wrong } from './finding.ts';

const CHECK = 'feed.readable';

/** @param opened the newest segment; undefined where the feed lists none yet. */
export function judgeFeed(opened: Timestamp | undefined, row: SourceRow | undefined, account: string): Finding {
  if (row?.state === 'no-feed' && readFeedReport(row).why === 'disabled') {
    const says = row.reason ?? 'the feed is there and no longer written';
    return wrong(CHECK, `${account}: ${says}`, enable(account));
  }
  if (opened === undefined) return good(CHECK, `the change feed of ${account} may be read; nothing is in it yet`);
  return good(CHECK, `the change feed of ${account} may be read; its newest segment opened at ${formatTime(opened)}`);
}

export function judgeFeedFailure(error: unknown, account: string): Finding {
  if (error instanceof FeedUnavailableError)
    return wrong(CHECK, `${account}: ${error.message}`, mendOf(error, account));
  if (error instanceof FeedCorruptError) {
    return wrong(CHECK, `the change feed of ${account}: ${error.message}`, 'isthmus feed verify');
  }
  const { says, mend } = explainStorageFailure(error, account);
  return wrong(CHECK, `the change feed of ${account} cannot be read: ${says}`, mend);
}

function mendOf({ why }: FeedUnavailableError, account: string): string {
  switch (why) {
    case 'hierarchical':
      return 'Take sources.changeFeed out of the federation file; triggers and inventory tell of such an account.';
    case 'forbidden':
      return (
        `A role on containers alone does not reach the feed: az role assignment create --role "${READER_ROLE}" --assignee IDENTITY ` +
        `--scope "$(az storage account show -n ${account} --query id -o tsv)"`
      );
    case 'not-enabled':
    case 'missing':
    case 'disabled':
      return enable(account);
  }
}

function enable(account: string): string {
  return `az storage account blob-service-properties update --account-name ${account} --enable-change-feed true`;
}
