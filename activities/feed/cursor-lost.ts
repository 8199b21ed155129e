/**
 * The cursor is no longer where this attempt read on from: another attempt was faster, or an operator rewound
 * (invariant 3). What this one has not committed is nobody's; whoever throws it rolls back.
 */
export class CursorLost extends Error {
  constructor() {
    super('the cursor of the feed was moved by somebody else');
  }
}
