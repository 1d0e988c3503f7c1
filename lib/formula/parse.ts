import type jsep from 'jsep';
import parse from 'jsep';
import { wrongWhole } from './tokens';
import {
  type FormulaNode,
  FUNCTION_NAMES,
  makeCall,
  makeLiteral,
  makeName,
  makeTable,
  type Operation,
  type Scope,
} from './tree';

export type Parsed =
  | { readonly ok: true; readonly node: FormulaNode }
  /** `column` counts characters from 0. */
  | { readonly ok: false; readonly message: string; readonly column: number };

class Problem extends Error {
  readonly column: number;
  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}

const BINARY: Readonly<Record<string, Operation>> = {
  '+': '+',
  '-': '-',
  '*': '*',
  '/': '/',
  '%': 'mod',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '==': '==',
  '===': '==',
  '!=': '!=',
  '!==': '!=',
  '&&': 'and',
  '||': 'or',
};
const MAX_LENGTH = 2000;
const MAX_DEPTH = 64;

/**
 * The typed tree of a formula's text.
 *
 * @param type what the whole must be; see `fromTokens`
 * @returns the tree, or the first problem with its column
 */
export function parseFormula(text: string, scope: Scope, type: 'bool' | 'float'): Parsed {
  if (text.length > MAX_LENGTH) {
    return { ok: false, message: `too long: ${text.length} characters`, column: MAX_LENGTH };
  }
  if (text.trim() === '') return { ok: false, message: 'the formula is empty', column: 0 };
  const nested = deepestAt(text);
  if (nested !== undefined) {
    return { ok: false, message: `nested deeper than ${MAX_DEPTH} levels`, column: nested };
  }
  const strange = /[^\w\s+\-*/%<>=!&|?:(),.]/.exec(text);
  if (strange !== null) {
    return { ok: false, message: `unexpected character: ${strange[0]}`, column: strange.index };
  }
  try {
    const { node } = build(read(text), { text, scope, words: wordsOf(text), next: 0 });
    const wrong = wrongWhole(node, type);
    return wrong === undefined ? { ok: true, node } : { ok: false, message: wrong, column: 0 };
  } catch (error) {
    if (error instanceof Problem) {
      return { ok: false, message: error.message, column: error.column };
    }
    throw error;
  }
}

/** Column of a bracket or sign that is nested too deep for a recursive parser, or undefined. */
function deepestAt(text: string): number | undefined {
  let depth = 0;
  let signs = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '(' || c === '?') depth++;
    else if (c === ')') depth--;
    signs = '-+!'.includes(c) ? signs + 1 : c === ' ' ? signs : 0;
    if (depth > MAX_DEPTH || signs > MAX_DEPTH) return i;
  }
  return undefined;
}

function read(text: string): jsep.Expression {
  try {
    return parse(text);
  } catch (error) {
    const { description, message, index } = error as Error & {
      description?: string;
      index?: number;
    };
    const what = description ?? message;
    throw new Problem(what.charAt(0).toLowerCase() + what.slice(1), index ?? 0);
  }
}

/**
 * The parser keeps no positions, but names and numbers come out of its tree in the order in which
 * they stand in the text, so the n-th leaf is the n-th word.
 */
interface Walk {
  readonly text: string;
  readonly scope: Scope;
  readonly words: readonly { readonly start: number; readonly end: number }[];
  next: number;
}

interface Placed {
  readonly node: FormulaNode;
  readonly start: number;
  readonly end: number;
}

const WORD = /[A-Za-z_]\w*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/g;

const wordsOf = (text: string) =>
  [...text.matchAll(WORD)].map(({ 0: word, index }) => ({
    start: index,
    end: index + word.length,
  }));

function build(expression: jsep.Expression, walk: Walk): Placed {
  const { text, scope } = walk;
  const word = () => walk.words[walk.next++] ?? { start: text.length, end: text.length };
  const placed = (made: FormulaNode | string, start: number, end: number, at = start): Placed => {
    if (typeof made === 'string') throw new Problem(made, at);
    return { node: made, start, end };
  };
  const nodes = (parts: readonly Placed[]) => parts.map(({ node }) => node);
  switch (expression.type) {
    case 'Literal': {
      const { value, raw } = expression as jsep.Literal;
      const { start, end } = word();
      return typeof value === 'number'
        ? placed(makeLiteral(value), start, end)
        : placed(`invalid value: ${raw} (expected a number)`, start, end);
    }
    case 'Identifier': {
      const { start, end } = word();
      return placed(makeName((expression as jsep.Identifier).name, scope), start, end);
    }
    case 'UnaryExpression': {
      const { operator, argument } = expression as jsep.UnaryExpression;
      const arg = build(argument, walk);
      const start = Math.max(0, text.lastIndexOf(operator, arg.start));
      if (operator === '+') return arg;
      const operation = operator === '-' ? 'neg' : operator === '!' ? 'not' : undefined;
      if (operation === undefined) {
        return placed(`unknown operator: ${operator}`, start, arg.end);
      }
      return placed(makeCall(operation, [arg.node]), start, arg.end);
    }
    case 'BinaryExpression': {
      const { operator, left, right } = expression as jsep.BinaryExpression;
      const a = build(left, walk);
      const b = build(right, walk);
      const at = text.indexOf(operator, a.end);
      const operation = Object.hasOwn(BINARY, operator) ? BINARY[operator] : undefined;
      const made =
        operation === undefined
          ? `unknown operator: ${operator}`
          : makeCall(operation, nodes([a, b]));
      return placed(made, a.start, b.end, at);
    }
    case 'ConditionalExpression': {
      const { test, consequent, alternate } = expression as jsep.ConditionalExpression;
      const parts = [test, consequent, alternate].map((part) => build(part, walk));
      const [first, , last] = parts as [Placed, Placed, Placed];
      const at = text.indexOf('?', first.end);
      return placed(makeCall('select', nodes(parts)), first.start, last.end, at);
    }
    case 'CallExpression': {
      const { callee, arguments: given } = expression as jsep.CallExpression;
      const { start } = word();
      if (callee.type !== 'Identifier') return placed('only a name can be called', start, start);
      const { name } = callee as jsep.Identifier;
      const args = given.map((arg) => build(arg, walk));
      const end = text.indexOf(')', args.at(-1)?.end ?? start) + 1;
      return placed(makeFunction(name, nodes(args), scope), start, end);
    }
    default:
      throw new Problem(
        expression.type === 'Compound' || expression.type === 'SequenceExpression'
          ? 'two formulas in a row: join them with && or an operator'
          : `not part of a formula: ${expression.type}`,
        0,
      );
  }
}

function makeFunction(
  name: string,
  args: readonly FormulaNode[],
  scope: Scope,
): FormulaNode | string {
  const operation = FUNCTION_NAMES.find((each) => each === name);
  if (operation === undefined) {
    const [index] = args;
    if (index !== undefined && args.length === 1) return makeTable(name, index, scope);
    return Object.hasOwn(scope.tables, name)
      ? `${name} takes 1 argument, not ${args.length}`
      : `unknown function: ${name} (known: ${FUNCTION_NAMES.join(', ')})`;
  }
  if ((operation !== 'min' && operation !== 'max') || args.length < 3) {
    return makeCall(operation, args);
  }
  // min and max of many are nested: the stored form knows only two arguments.
  return args.reduce<FormulaNode | string>(
    (a, b, i) => (i === 0 ? b : typeof a === 'string' ? a : makeCall(operation, [a, b])),
    '',
  );
}
