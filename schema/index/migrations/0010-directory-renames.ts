/**
 * The directories that were renamed lately: asked for with each batch of stubs, among directories that were deleted, of
 * which jobs make a hundred for each that they rename.
 */
export const directoryRenames: readonly string[] = [
  /* sql */ `
  create index subtrees_renamed on subtrees (account_id, event_time) where to_name is not null`,
];
