/** The one account of the embedded stack, with the well-known key of Azurite (not a secret: it is public). */
export const ACCOUNT = 'devstoreaccount1';
export const ACCOUNT_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** The resource that events name as their topic; nobody subscribes to it, but its last segment is the account. */
export const TOPIC = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/isthmus/providers/Microsoft.Storage/storageAccounts/${ACCOUNT}`;

/** Where the Change Feed is kept, as Azure names it. */
export const FEED_CONTAINER = '$blobchangefeed';

/** The account's endpoint on a local port. */
export function endpointOn(port: number): string {
  return `http://127.0.0.1:${port}/${ACCOUNT}`;
}

/** What Azure clients take. */
export function connectionStringOn(port: number): string {
  return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${ACCOUNT_KEY};BlobEndpoint=${endpointOn(port)};`;
}
