import { z } from 'zod';

/** Whether the string is there as Azure writes it is seen here; whether its key is right only the service can tell. */
export const storageConnectionString = z.string().refine(namesAccount, {
  error:
    "must be an account's connection string: DefaultEndpointsProtocol=https;AccountName=NAME;AccountKey=KEY;" +
    'EndpointSuffix=core.windows.net, or BlobEndpoint=https://...;SharedAccessSignature=...',
});

/** Of Service Bus or Event Hubs. */
export const busConnectionString = z.string().refine((text) => /^\w+:\/\/[^/\s]+/.test(partsOf(text).endpoint ?? ''), {
  error:
    "must be a namespace's connection string: Endpoint=sb://NAME.servicebus.windows.net/;" +
    'SharedAccessKeyName=POLICY;SharedAccessKey=KEY',
});

/** The storage account that a connection string reaches; undefined where it does not say, as behind a domain of one's own. */
export function accountOf(connectionString: string): string | undefined {
  const { usedevelopmentstorage, accountname, blobendpoint } = partsOf(connectionString);
  if (usedevelopmentstorage === 'true') return 'devstoreaccount1';
  return accountname?.toLowerCase() || (blobendpoint && accountOfEndpoint(blobendpoint));
}

/** The suffixes of Azure's own clouds; with any other, as in Azure Stack, the first word of a host may be anything. */
const BLOB_HOST =
  /^([a-z0-9]{3,24})(?:-secondary)?(?:\.z\d+)?(?:\.privatelink)?\.blob\.(?:core\.windows\.net|core\.chinacloudapi\.cn|core\.usgovcloudapi\.net|storage\.azure\.net)$/;

/** The same of an endpoint: `NAME.blob.core.windows.net`, in whichever of Azure's own clouds, zone or private link. */
export function accountOfEndpoint(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return undefined;
  return BLOB_HOST.exec(new URL(endpoint).hostname)?.[1];
}

function namesAccount(text: string): boolean {
  const { usedevelopmentstorage, accountname, accountkey, blobendpoint, sharedaccesssignature } = partsOf(text);
  if (usedevelopmentstorage === 'true') return true;
  if (blobendpoint !== undefined && !URL.canParse(blobendpoint)) return false;
  return blobendpoint !== undefined && sharedaccesssignature !== undefined
    ? true
    : Boolean(accountname) && Boolean(accountkey);
}

/** `NAME=VALUE;NAME=VALUE`, with the names in lower case; a value may hold `=`. */
function partsOf(text: string): Readonly<Partial<Record<string, string>>> {
  return Object.fromEntries(
    text.split(';').flatMap((part) => {
      const [, name, value] = /^\s*(\w+)\s*=(.*)$/s.exec(part) ?? [];
      return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value.trim()]];
    }),
  );
}
