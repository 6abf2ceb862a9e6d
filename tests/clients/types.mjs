// Finds `any` and `unknown` in the types that a TypeScript file declares.
import ts from "typescript";

/** typesOf gives the path, Type.field, of each that may be anything. */
export function typesOf(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const found = [];
  for (const statement of source.statements) {
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      look(statement, [statement.name.text], found);
    } else if (ts.isClassDeclaration(statement)) {
      for (const member of statement.members) signature(member, [statement.name?.text ?? ""], found);
    } else if (ts.isVariableStatement(statement)) {
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (initializer && ts.isArrowFunction(initializer)) signature(initializer, [name.getText()], found);
      }
    }
  }
  return found;
}

// signature looks at what a function takes and gives, not at its body.
function signature(node, path, found) {
  const name = node.name ? [...path, node.name.getText()] : path;
  for (const parameter of node.parameters ?? []) look(parameter, name, found);
  if (node.type) look(node.type, name, found);
}

function look(node, path, found) {
  if (node.kind === ts.SyntaxKind.AnyKeyword || node.kind === ts.SyntaxKind.UnknownKeyword) {
    found.push(path.join("."));
  }
  // The headers of an answer beside those that the document names.
  if (ts.isPropertySignature(node) && node.name.getText() === "headers") return;
  const named = ts.isPropertySignature(node) || ts.isParameter(node);
  const inner = named ? [...path, node.name.getText()] : path;
  node.forEachChild((child) => look(child, inner, found));
}
