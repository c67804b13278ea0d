/** An error that the user can fix: shown by its message, without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}
