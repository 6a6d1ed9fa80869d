import ts from '@tsd/typescript'

/** Stands for a value in a path. */
const VALUE = '{}'
/** How deeply constants made of constants are followed. */
const DEEPEST = 5

/**
 * The path that an expression in a test evaluates to: a string, a template, or a constant or short function
 * in scope made of these. Values become `{}`; undefined if no path can be read from the code.
 */
export function pathOf(expression: ts.Expression): string | undefined {
  const text = textOf(expression, 0)
  // A base URL in front is a value; a query string is not part of the route.
  const path = text?.replace(/^(\{\})+(?=\/)/, '').replace(/\?.*$/s, '')
  return path?.startsWith('/') ? path : undefined
}

function textOf(expression: ts.Expression, depth: number): string | undefined {
  if (depth > DEEPEST) return undefined
  if (ts.isStringLiteralLike(expression)) return expression.text
  if (ts.isTemplateExpression(expression)) {
    const parts = expression.templateSpans.map(
      ({ expression, literal }) => (textOf(expression, depth + 1) ?? VALUE) + literal.text,
    )
    return expression.head.text + parts.join('')
  }
  if (ts.isBinaryExpression(expression)) {
    if (expression.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined
    const [left, right] = [expression.left, expression.right].map((side) => textOf(side, depth + 1))
    return left === undefined && right === undefined
      ? undefined
      : (left ?? VALUE) + (right ?? VALUE)
  }
  if (ts.isIdentifier(expression)) {
    const value = initializerOf(expression)
    return value && !ts.isFunctionLike(value) ? textOf(value, depth + 1) : undefined
  }
  if (ts.isCallExpression(expression) && ts.isIdentifier(expression.expression)) {
    const called = initializerOf(expression.expression)
    if (!called || !ts.isArrowFunction(called) || ts.isBlock(called.body)) return undefined
    return textOf(called.body, depth + 1)
  }
  return undefined
}

/** The initializer of the nearest enclosing declaration of the name. */
function initializerOf(name: ts.Identifier): ts.Expression | undefined {
  for (let node: ts.Node = name.parent; node; node = node.parent) {
    // A parameter or loop variable has a different value each time.
    if (ts.isFunctionLike(node) && node.parameters.some((one) => declares(one.name, name.text))) {
      return undefined
    }
    if (ts.isForOfStatement(node) && ts.isVariableDeclarationList(node.initializer)) {
      if (node.initializer.declarations.some((one) => declares(one.name, name.text))) {
        return undefined
      }
    }
    if (!ts.isBlock(node) && !ts.isSourceFile(node)) continue
    for (const statement of node.statements) {
      if (!ts.isVariableStatement(statement)) continue
      for (const declaration of statement.declarationList.declarations) {
        if (!declares(declaration.name, name.text)) continue
        return ts.isIdentifier(declaration.name) ? declaration.initializer : undefined
      }
    }
  }
  return undefined
}

function declares(binding: ts.BindingName, name: string): boolean {
  if (ts.isIdentifier(binding)) return binding.text === name
  return binding.elements.some((one) => !ts.isOmittedExpression(one) && declares(one.name, name))
}
