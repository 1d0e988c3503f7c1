import {
  countNodes,
  type FormulaNode,
  isOperation,
  MAX_NODES,
  makeCall,
  makeLiteral,
  makeName,
  makeTable,
  OPERATIONS,
  type Scope,
  type ValueType,
} from './tree';

/** A tree in postfix order, the form that documents store: `k <= q` is `['k', 'q', '<=']`. */
export type FormulaTokens = readonly (string | number)[];

export type Built =
  | { readonly ok: true; readonly node: FormulaNode }
  | { readonly ok: false; readonly message: string; readonly at: number };

export function toTokens(node: FormulaNode): (string | number)[] {
  switch (node.kind) {
    case 'literal':
      return [node.value];
    case 'variable':
    case 'number':
      return [node.name];
    case 'table':
      return [...toTokens(node.index), node.name];
    case 'call':
      return [...node.args.flatMap(toTokens), node.operation];
  }
}

/**
 * The typed tree of stored tokens.
 *
 * @param type what the whole must be: a mask is `bool`, a score `float` (an int is taken as one)
 * @returns the tree, or the first token that does not fit and why
 */
export function fromTokens(tokens: FormulaTokens, scope: Scope, type: 'bool' | 'float'): Built {
  const stack: FormulaNode[] = [];
  const fail = (at: number, message: string): Built => ({ ok: false, message, at });
  for (const [at, token] of tokens.entries()) {
    let node: FormulaNode | string;
    if (typeof token === 'number') node = makeLiteral(token);
    else if (isOperation(token)) {
      const arity = OPERATIONS[token];
      if (stack.length < arity) return fail(at, `${token} lacks an argument`);
      node = makeCall(token, stack.splice(stack.length - arity));
    } else if (Object.hasOwn(scope.tables, token)) {
      const index = stack.pop();
      if (index === undefined) return fail(at, `${token} lacks an index`);
      node = makeTable(token, index, scope);
    } else node = makeName(token, scope);
    if (typeof node === 'string') return fail(at, node);
    stack.push(node);
  }
  const [node] = stack;
  if (node === undefined || stack.length !== 1) {
    return fail(tokens.length, `${stack.length} values are left over (expected 1)`);
  }
  const wrong = wrongWhole(node, type);
  return wrong === undefined ? { ok: true, node } : fail(0, wrong);
}

/** Why a tree cannot be a mask or a score, or undefined. */
export function wrongWhole(node: FormulaNode, type: 'bool' | 'float'): string | undefined {
  const count = countNodes(node);
  if (count > MAX_NODES) return `too long: ${count} parts (expected at most ${MAX_NODES})`;
  const isRight = type === 'bool' ? node.type === 'bool' : node.type !== 'bool';
  if (isRight) return undefined;
  return type === 'bool'
    ? 'a mask must be a condition, such as k <= q'
    : 'a score must be a number, such as score - 0.1 * (q - k)';
}

export type { ValueType };
