/** Something that the person at the terminal can put right: shown as it is, without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}
