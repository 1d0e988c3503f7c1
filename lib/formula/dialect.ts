import jsep from 'jsep';
import { COMPARISONS, type Operation } from './tree';

/**
 * The parser of expressions, taught what people write who come from Python, C or a paper: `and or
 * not`, `& | ~` between conditions, `//`, `≤`, chains of comparisons. All comparisons bind alike, as
 * in Python; `not` binds less than they do.
 */

/** Operators by what is written, and the operation of the tree; `//` is a quotient rounded down. */
const BINARY_OPERATORS: ReadonlyMap<string, Operation | '//'> = new Map([
  ['+', '+'],
  ['-', '-'],
  ['*', '*'],
  ['/', '/'],
  ['//', '//'],
  ['%', 'mod'],
  ['<', '<'],
  ['<=', '<='],
  ['≤', '<='],
  ['>', '>'],
  ['>=', '>='],
  ['≥', '>='],
  ['==', '=='],
  ['===', '=='],
  ['!=', '!='],
  ['!==', '!='],
  ['≠', '!='],
  ['&&', 'and'],
  ['&', 'and'],
  ['and', 'and'],
  ['∧', 'and'],
  ['||', 'or'],
  ['|', 'or'],
  ['or', 'or'],
  ['∨', 'or'],
]);
const UNARY_OPERATORS: ReadonlyMap<string, Operation> = new Map([
  ['-', 'neg'],
  ['!', 'not'],
  ['~', 'not'],
  ['not', 'not'],
]);

export const binaryOperation = (operator: string): Operation | '//' | undefined =>
  BINARY_OPERATORS.get(operator);
export const unaryOperation = (operator: string): Operation | undefined =>
  UNARY_OPERATORS.get(operator);

/** Words that are operators, not names. */
export const OPERATOR_WORDS: ReadonlySet<string> = new Set(['and', 'or', 'not']);

const PRECEDENCE = {
  or: 1,
  and: 2,
  comparison: 7,
  product: 10,
  power: 11,
} as const;

for (const [operator, operation] of BINARY_OPERATORS) {
  if (COMPARISONS.has(operation as Operation)) jsep.addBinaryOp(operator, PRECEDENCE.comparison);
}
jsep.addBinaryOp('//', PRECEDENCE.product);
// Powers are refused, with their own two sides.
jsep.addBinaryOp('^', PRECEDENCE.power);
for (const operator of ['and', '∧']) jsep.addBinaryOp(operator, PRECEDENCE.and);
for (const operator of ['or', '∨']) jsep.addBinaryOp(operator, PRECEDENCE.or);
jsep.addUnaryOp('not');
// Names like others: they are known or unknown by the scope.
for (const literal of ['true', 'false', 'null']) jsep.removeLiteral(literal);

const bracketed = new WeakSet<jsep.Expression>();

const OPENING = '('.charCodeAt(0);

jsep.hooks.add('gobble-token', function (env) {
  if (this.code !== OPENING) return;
  const node = this.gobbleGroup();
  // The parser's tree forgets brackets, which part chains and hold `not` together.
  if (node) bracketed.add(node);
  env.node = this.gobbleTokenProperty(node);
});

export const isBracketed = (expression: jsep.Expression): boolean => bracketed.has(expression);

/** `not a < b` is read as `(not a) < b`; here it becomes `not (a < b)`. */
export function lowerNot(expression: jsep.Expression): jsep.Expression {
  if (expression.type !== 'BinaryExpression') return expression;
  const { operator, left } = expression as jsep.BinaryExpression;
  const isJoin = /^(?:&&|and|∧|\|\||or|∨)$/.test(operator);
  if (isJoin || isBracketed(left)) return expression;
  const first = lowerNot(left);
  if (first.type !== 'UnaryExpression') return expression;
  const { operator: prefix, argument } = first as jsep.UnaryExpression;
  if (prefix !== 'not') return expression;
  return { ...first, argument: lowerNot({ ...expression, left: argument }) } as jsep.Expression;
}

/** As the parser throws them. */
export interface ParserError extends Error {
  readonly description?: string;
  readonly index?: number;
}

/** @throws ParserError */
export const parseExpression = (text: string): jsep.Expression => jsep(text);
