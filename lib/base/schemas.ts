/** Building blocks of zod schemas for settings, whose errors name the value and what it should be. */
import { z } from "zod";
import { describeNoText, quoteValue } from "./wording.ts";

/**
 * Whatever passes a check.
 *
 * @param description follows "is not", e.g. `a whole number`.
 * @param written what an editor is told of it, JSON Schema.
 */
export function value(
  check: (input: unknown) => boolean,
  description: string,
  written: Readonly<Record<string, unknown>>,
): z.ZodType {
  return z.custom(check, { error: expected(description) }).meta({ description, ...written });
}

/**
 * A string or number parsed by `parse`, whose error becomes the problem's text.
 *
 * @param description follows "is not".
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

/** The error of a schema whose value is not as described. */
export function expected(description: string) {
  return ({ input }: { readonly input?: unknown }) =>
    input === undefined
      ? `is missing: ${description}`
      : `${quoteValue(input)} is not ${description}`;
}

/** Of the issues of text: what it should be. */
export const TEXT = "text";

/** Text that isn't empty. @param description follows "is not", e.g. `a name`. */
export function textSchema(description: string): z.ZodType {
  return z
    .custom((input) => typeof input === "string" && input !== "", {
      error: ({ input }) =>
        input === undefined ? `is missing: ${description}` : describeNoText(input, description),
      params: { [TEXT]: description },
    })
    .meta({ description, type: "string", minLength: 1 });
}

/** `a, b or c`. */
export function listNames(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
