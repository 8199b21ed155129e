/**
 * The storage account that a topic names, `/subscriptions/.../storageAccounts/NAME`. Resource ids ignore case, account
 * names have none.
 *
 * @returns undefined where it names none.
 */
export function topicAccount(topic: string): string | undefined {
  return /\/storageAccounts\/([^/]+)\/?$/i.exec(topic)?.[1]?.toLowerCase();
}
