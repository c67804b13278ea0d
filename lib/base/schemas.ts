/** Building blocks of zod schemas for settings. Their errors name the invalid value and what is expected. */
import { z } from "zod";
import { describeNoText, quoteValue } from "./wording.ts";

/**
 * A schema of values that pass a check.
 *
 * @param description what is expected, e.g. `a whole number`: completes "… is not".
 * @param written JSON Schema of the value, for editors.
 */
export function value(
  check: (input: unknown) => boolean,
  description: string,
  written: Readonly<Record<string, unknown>>,
): z.ZodType {
  return z.custom(check, { error: expected(description) }).meta({ description, ...written });
}

/**
 * A schema of a string or number that `parse` reads. The message of its RangeError becomes that of the problem.
 *
 * @param description what is expected: completes "… is not".
 */
export function quantity(
  parse: (text: string | number) => number,
  description = "a quantity",
): z.ZodType<number> {
  return z
    .union([z.string(), z.number()], {
      error: ({ input }) => `${quoteValue(input)} is not ${description}`,
    })
    .transform((text, context) => {
      try {
        return parse(text);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as RangeError).message });
        return z.NEVER;
      }
    });
}

/** Makes the error message of a schema: the value is missing, or is not as described. */
export function expected(description: string) {
  return ({ input }: { readonly input?: unknown }) =>
    input === undefined
      ? `is missing: ${description}`
      : `${quoteValue(input)} is not ${description}`;
}

/** Key in the params of {@link textSchema}'s issues, for the description of the expected text. */
export const TEXT = "text";

/**
 * A schema of non-empty text.
 *
 * @param description what is expected, e.g. `a name`: completes "… is not".
 */
export function textSchema(description: string): z.ZodType {
  return z
    .custom((input) => typeof input === "string" && input !== "", {
      error: ({ input }) =>
        input === undefined ? `is missing: ${description}` : describeNoText(input, description),
      params: { [TEXT]: description },
    })
    .meta({ description, type: "string", minLength: 1 });
}

/** Joins names as alternatives: `a, b or c`. */
export function listNames(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
