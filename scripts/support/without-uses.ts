import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

/**
 * A source file without what it takes from files that are gone: the imports, the statements and
 * list entries that use what was imported, and entries that name such a file. The same text when
 * there is none.
 */
export function withoutUses(file: string, text: string, isGone: (path: string) => boolean): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const names = new Set<string>();
  const removed = new Set<ts.Node>();

  function remove(node: ts.Node): void {
    if (removed.has(node)) return;
    removed.add(node);
    for (const name of namesDeclaredBy(node)) names.add(name);
  }

  function visit(node: ts.Node): void {
    if (removed.has(node)) return;
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      if (isGone(targetOf(file, node.moduleSpecifier.text))) remove(node);
    } else if (ts.isStringLiteral(node) && isGone(node.text)) {
      const entry = entryAround(node);
      if (entry !== undefined) remove(entry);
    } else if (ts.isIdentifier(node) && names.has(node.text) && !isName(node)) {
      remove(ts.isArrayLiteralExpression(node.parent) ? node : statementAround(node));
    }
    ts.forEachChild(node, visit);
  }

  for (let before = -1; before < removed.size;) {
    before = removed.size; // what was removed may have declared what others use
    visit(source);
  }
  return removed.size === 0 ? text : withoutUnusedImports(file, cut(text, [...removed], source));
}

/** What only the removed code used. */
function withoutUnusedImports(file: string, text: string): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const used = new Set<string>();
  const collect = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    if (ts.isIdentifier(node)) used.add(node.text);
    ts.forEachChild(node, collect);
  };
  collect(source);
  const unused = source.statements
    .filter(ts.isImportDeclaration)
    .flatMap((declaration): ts.Node[] => {
      const bindings = declaration.importClause?.namedBindings;
      if (bindings === undefined || !ts.isNamedImports(bindings)) return [];
      const specifiers = bindings.elements.filter(({ name }) => !used.has(name.text));
      return specifiers.length === bindings.elements.length ? [declaration] : [...specifiers];
    });
  return cut(text, unused, source);
}

/** "./room.js" of src/app.ts is src/room.ts. */
const targetOf = (file: string, specifier: string): string =>
  specifier.startsWith('.')
    ? normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts')
    : specifier;

function namesDeclaredBy(node: ts.Node): string[] {
  const found: string[] = [];
  const collect = (child: ts.Node): void => {
    const isDeclared =
      (ts.isImportSpecifier(child) ||
        ts.isBindingElement(child) ||
        ts.isVariableDeclaration(child)) &&
      ts.isIdentifier(child.name);
    if (isDeclared) found.push(child.name.text);
    if (!ts.isFunctionLike(child)) ts.forEachChild(child, collect);
  };
  if (ts.isImportDeclaration(node) || ts.isVariableStatement(node)) collect(node);
  return found;
}

/** The name of a property is no use of a variable. */
const isName = (node: ts.Identifier): boolean =>
  (ts.isPropertyAccessExpression(node.parent) || ts.isPropertyAssignment(node.parent)) &&
  node.parent.name === node;

const TESTS = /^(it|test|describe)\b/;

/** In a test the whole test: what is left of one would prove something else. */
function statementAround(node: ts.Node): ts.Node {
  let found: ts.Node | undefined;
  for (let at = node; !ts.isSourceFile(at); at = at.parent) {
    const isStatement = ts.isStatement(at) && !ts.isBlock(at);
    if (isStatement && ts.isExpressionStatement(at) && TESTS.test(at.getText())) return at;
    if (isStatement) found ??= at;
  }
  return found ?? node;
}

/** An entry of a list, or of an object of objects. */
function entryAround(node: ts.Node): ts.Node | undefined {
  for (let at = node; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isArrayLiteralExpression(at.parent)) return at;
    if (ts.isPropertyAssignment(at) && ts.isObjectLiteralExpression(at.initializer)) return at;
    if (ts.isStatement(at)) return undefined;
  }
  return undefined;
}

/** With the comma of an entry, and with the rest of a line on which nothing else is left. */
function cut(text: string, nodes: readonly ts.Node[], source: ts.SourceFile): string {
  const outermost = nodes.filter(
    (node) => !nodes.some((other) => other !== node && isInside(node, other)),
  );
  let rest = text;
  for (const node of outermost.sort((one, other) => other.pos - one.pos)) {
    let [start, end] = [node.getStart(source), node.end];
    if (/^\s*,/.test(rest.slice(end))) end = rest.indexOf(',', end) + 1;
    while (/[ \t]/.test(rest.charAt(start - 1))) start -= 1;
    const isWholeLine = rest.charAt(start - 1) === '\n' && rest.charAt(end) === '\n';
    rest = rest.slice(0, start) + rest.slice(isWholeLine ? end + 1 : end);
  }
  return rest;
}

const isInside = (node: ts.Node, other: ts.Node): boolean =>
  node.pos >= other.pos && node.end <= other.end;
