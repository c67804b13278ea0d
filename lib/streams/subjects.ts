/** Subjects of NATS: tokens separated by dots; the wildcard `*` matches one token, `>` all tokens that remain. */

/** Prefix of the subjects of JetStream's API in an account, unless it has been given another name there. */
export const API_PREFIX = "$JS.API";

/** Whether subscriptions and streams may use a subject (`IsValidSubject` in nats-server's server/sublist.go). */
export function isValidSubject(subject: string): boolean {
  const tokens = subject.split(".");
  return tokens.every(
    (token, index) =>
      token !== "" &&
      !/[ \t\n\f\r\0\uFFFD]/.test(token) &&
      (token !== ">" || index === tokens.length - 1),
  );
}

/** Whether a subject is valid and has no wildcards. */
export function isLiteralSubject(subject: string): boolean {
  return isValidSubject(subject) && !subject.split(".").some(isWildcard);
}

/** Whether a message could match both subjects. Both may have wildcards. */
export function subjectsOverlap(a: string, b: string): boolean {
  return tokensOverlap(a.split("."), b.split("."));
}

interface Branch<Owner> {
  readonly ends: { readonly subject: string; readonly owner: Owner }[];
  readonly next: Map<string, Branch<Owner>>;
}

/** Subjects by their tokens, so that those which overlap with one are found without a look at all others. */
export class SubjectTree<Owner> {
  readonly #root: Branch<Owner> = { ends: [], next: new Map() };

  add(subject: string, owner: Owner): this {
    let branch = this.#root;
    for (const token of subject.split(".")) {
      const next = branch.next.get(token) ?? { ends: [], next: new Map() };
      branch.next.set(token, next);
      branch = next;
    }
    branch.ends.push({ subject, owner });
    return this;
  }

  /** The subjects that {@link subjectsOverlap} with one, itself among them if it was added. */
  overlapping(subject: string): Branch<Owner>["ends"] {
    return overlappingIn(this.#root, subject.split("."));
  }
}

function overlappingIn<Owner>(
  { ends, next }: Branch<Owner>,
  [token, ...rest]: string[],
): Branch<Owner>["ends"] {
  if (token === undefined) return ends;
  if (token === ">") return [...next.values()].flatMap(allIn);
  const fitting = token === "*" ? [...next.keys()].filter((each) => each !== ">") : [token, "*"];
  return [
    ...fitting.flatMap((each) => {
      const branch = next.get(each);
      return branch ? overlappingIn(branch, rest) : [];
    }),
    ...(next.get(">")?.ends ?? []),
  ];
}

function allIn<Owner>({ ends, next }: Branch<Owner>): Branch<Owner>["ends"] {
  return [...ends, ...[...next.values()].flatMap(allIn)];
}

/** Whether every message that matches `inner` also matches `outer`. */
export function isSubset(inner: string, outer: string): boolean {
  const innerTokens = inner.split(".");
  const outerTokens = outer.split(".");
  for (const [index, token] of outerTokens.entries()) {
    const other = innerTokens[index];
    if (other === undefined) return false;
    if (token === ">") return true;
    if (other === ">" || (token !== "*" && token !== other)) return false;
  }
  return innerTokens.length === outerTokens.length;
}

function tokensOverlap([a, ...restA]: string[], [b, ...restB]: string[]): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a === ">" || b === ">") return true;
  return (a === b || a === "*" || b === "*") && tokensOverlap(restA, restB);
}

function isWildcard(token: string): boolean {
  return token === "*" || token === ">";
}
