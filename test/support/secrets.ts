/** Whether a text contains a secret of at least ten characters, as plain text or in base64. */
export function appearsIn(text: string, secret: string): boolean {
  // Depending on its position, the middle of a text has one of three forms in base64.
  const encoded = [0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + secret)
      .toString("base64")
      .slice(4, -4),
  );
  return [secret, ...encoded].some((form) => text.includes(form));
}
