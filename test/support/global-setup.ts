/** Starts what the whole run shares. */
export async function setup(): Promise<void> {}
