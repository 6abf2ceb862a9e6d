// Finds `any` and `unknown` in the types that a TypeScript file declares.
import ts from "typescript";

/** typesOf returns the path (Type.field) of each `any` and `unknown`. */
export function typesOf(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const found = [];
  for (const statement of source.statements) {
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      visit(statement, [statement.name.text], found);
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

// signature visits the parameters and the result of a function, not its body.
function signature(node, path, found) {
  const name = node.name ? [...path, node.name.getText()] : path;
  for (const parameter of node.parameters ?? []) visit(parameter, name, found);
  if (node.type) visit(node.type, name, found);
}

function visit(node, path, found) {
  if (node.kind === ts.SyntaxKind.AnyKeyword || node.kind === ts.SyntaxKind.UnknownKeyword) {
    found.push(path.join("."));
  }
  // Responses may have headers that the document does not name.
  if (ts.isPropertySignature(node) && node.name.getText() === "headers") return;
  const named = ts.isPropertySignature(node) || ts.isParameter(node);
  const inner = named ? [...path, node.name.getText()] : path;
  node.forEachChild((child) => visit(child, inner, found));
}
