import { readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { table } from "../documents/markdown.ts";

const COMPONENTS = path.join(import.meta.dirname, "../../components");

/**
 * The documented members of a class or interface in components/: a Markdown table of their docstrings. Members without
 * a docstring are left out.
 *
 * @param more file and name of a class that has those, too, and others.
 * @throws Error if the file has no such class or interface.
 */
export function membersTable(
  file: string,
  name: string,
  more?: readonly [file: string, name: string],
): string {
  const rows = [...rowsOf(file, name), ...(more ? rowsOf(...more) : [])];
  return table(["name", "type", "meaning"], rows);
}

function rowsOf(file: string, name: string): string[][] {
  const text = readFileSync(path.join(COMPONENTS, file), "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const declaration = source.statements.find(
    (statement): statement is ts.ClassDeclaration | ts.InterfaceDeclaration =>
      (ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement)) &&
      statement.name?.text === name,
  );
  if (!declaration) throw new Error(`there is no ${name} in components/${file}`);
  return [...declaration.members].flatMap((member) => rowOf(member));
}

function rowOf(member: ts.ClassElement | ts.TypeElement): string[][] {
  const isShown =
    ts.isPropertyDeclaration(member) || ts.isPropertySignature(member) || ts.isGetAccessor(member);
  if (!isShown || !member.type) return [];
  const comments = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
  const told = comments.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "").join(" ");
  if (told === "") return [];
  const standard = ts
    .getJSDocTags(member)
    .filter(({ tagName }) => tagName.text === "default")
    .map(({ comment }) => ` Default: ${ts.getTextOfJSDocComment(comment)}.`)
    .join("");
  const [name, type] = [member.name.getText(), member.type.getText()].map(
    (code) => `\`${code.replaceAll(/\s+/g, " ")}\``,
  );
  return [[name ?? "", type ?? "", `${told}${standard}`.replaceAll(/\s+/g, " ")]];
}
