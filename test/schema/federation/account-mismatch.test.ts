import { describe, expect, it } from 'vitest';
import { accountMismatch } from '../../../schema/federation/account-mismatch.ts';

const KEY = 'AccountKey=aGVsbG8=';
const sas = (endpoint: string) => `BlobEndpoint=${endpoint};SharedAccessSignature=sv=2024-11-04&sig=abc%3D`;

describe('an account', () => {
  it.each([
    [{ connectionString: `DefaultEndpointsProtocol=https;AccountName=pond;${KEY}` }],
    [{ connectionString: `accountname = pond ;${KEY}` }],
    [{ connectionString: sas('https://pond.blob.core.windows.net/') }],
    [{ connectionString: sas('https://pond-secondary.blob.core.windows.net') }],
    [{ connectionString: sas('https://pond.z12.blob.storage.azure.net') }],
    [{ connectionString: sas('https://pond.privatelink.blob.core.windows.net') }],
    [{ blobEndpoint: 'https://pond.blob.core.chinacloudapi.cn' }],
    [{ blobEndpoint: 'https://pond.blob.core.usgovcloudapi.net' }],
  ])(
    'that its address (%j) does not reach is told with both names, the key of the file and what mends it',
    (address) => {
      const key = Object.keys(address)[0];
      expect(accountMismatch({ name: 'lake', ...address })).toEqual({
        says: `account.${key} reaches the account pond, and account.name is lake`,
        mend: expect.stringMatching(/^Set account\.name to pond, or (leave account\.blobEndpoint out|.* -n lake)$/),
      });
      expect(accountMismatch({ name: 'pond', ...address })).toBeUndefined();
    },
  );

  it('of the emulator has one name', () => {
    const emulator = { connectionString: 'UseDevelopmentStorage=true' };
    expect(accountMismatch({ name: 'devstoreaccount1', ...emulator })).toBeUndefined();
    expect(accountMismatch({ name: 'lake', ...emulator })?.says).toContain('devstoreaccount1');
  });

  it.each([
    [{}],
    [{ connectionString: sas('https://files.example.com') }],
    [{ connectionString: sas('http://127.0.0.1:10000/pond') }],
    [{ blobEndpoint: 'https://blob.example.com' }],
    [{ blobEndpoint: 'https://pond.blob.example.com' }],
    [{ blobEndpoint: 'https://pond.blob.core.windows.net.example.com' }],
    [{ blobEndpoint: 'https://pond.blob.local.azurestack.external' }],
    [{ connectionString: sas('http://azurite.blob.svc.cluster.local:10000/lake') }],
    [{ connectionString: `AccountName=lake;${KEY}`, blobEndpoint: 'https://pond.blob.core.windows.net' }],
  ])('whose address (%j) tells no other name is taken at its word', (address) => {
    expect(accountMismatch({ name: 'lake', ...address })).toBeUndefined();
  });

  it('is told without what a connection string holds', () => {
    const told = accountMismatch({ name: 'lake', connectionString: `AccountName=pond;AccountKey=c2VjcmV0` });
    expect(JSON.stringify(told)).not.toContain('c2VjcmV0');
  });
});
