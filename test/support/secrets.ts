/** Whether a text gives a secret of ten characters or more away, as it is or somewhere within base64. */
export function appearsIn(text: string, secret: string): boolean {
  // Whatever the position within base64, the middle of a text reads the same in one of three ways.
  const encoded = [0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + secret)
      .toString("base64")
      .slice(4, -4),
  );
  return [secret, ...encoded].some((form) => text.includes(form));
}
