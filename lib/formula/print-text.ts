import { type FormulaNode, FUNCTION_NAMES, type Operation } from './tree';

const INFIX: Partial<Record<Operation, readonly [symbol: string, precedence: number]>> = {
  or: ['||', 1],
  and: ['&&', 2],
  '==': ['==', 6],
  '!=': ['!=', 6],
  '<': ['<', 7],
  '<=': ['<=', 7],
  '>': ['>', 7],
  '>=': ['>=', 7],
  '+': ['+', 9],
  '-': ['-', 9],
  '*': ['*', 10],
  '/': ['/', 10],
  mod: ['%', 10],
};
const UNARY = 11;
const LEAF = 12;
const isFunction = (operation: Operation) => FUNCTION_NAMES.some((name) => name === operation);

/** The text of a formula, with no more brackets than it needs: `parseFormula(printFormula(x))` is x. */
export function printFormula(node: FormulaNode): string {
  return print(node)[0];
}

function print(node: FormulaNode): readonly [text: string, precedence: number] {
  switch (node.kind) {
    case 'literal':
      return node.value < 0 || Object.is(node.value, -0)
        ? [`-${printNumber(-node.value)}`, UNARY]
        : [printNumber(node.value), LEAF];
    case 'variable':
    case 'number':
      return [node.name, LEAF];
    case 'table':
      return [`${node.name}(${printFormula(node.index)})`, LEAF];
    case 'call':
      return printCall(node.operation, node.args);
  }
}

/** Digits only: an exponent would be read as one, but 1e+21 has a sign that is not an operator. */
const printNumber = (value: number) => String(value).replace('e+', 'e');

function printCall(operation: Operation, args: readonly FormulaNode[]): readonly [string, number] {
  const [a, b, c] = args as [FormulaNode, FormulaNode, FormulaNode];
  const inside = (node: FormulaNode, least: number) => {
    const [text, precedence] = print(node);
    return precedence < least ? `(${text})` : text;
  };
  if (operation === 'select') {
    return [`${inside(a, 1)} ? ${inside(b, 1)} : ${inside(c, 0)}`, 0];
  }
  if (operation === 'neg' || operation === 'not') {
    // A literal under a minus would be read as a negative literal.
    const text = a.kind === 'literal' ? `(${printFormula(a)})` : inside(a, UNARY);
    return [
      `${operation === 'neg' ? '-' : '!'}${text.startsWith('-') ? `(${text})` : text}`,
      UNARY,
    ];
  }
  if (operation === 'div') return [`floor(${inside(a, 10)} / ${inside(b, 11)})`, LEAF];
  const infix = INFIX[operation];
  if (infix !== undefined) {
    const [symbol, precedence] = infix;
    const right = inside(b, precedence + 1);
    return [`${inside(a, precedence)} ${symbol} ${right}`, precedence];
  }
  if (!isFunction(operation)) throw new Error(`cannot print ${operation}`);
  return [`${operation}(${args.map(printFormula).join(', ')})`, LEAF];
}
