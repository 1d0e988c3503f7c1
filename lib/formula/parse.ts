import type jsep from 'jsep';
import parse from 'jsep';
import { findTextProblem, unknownOperator } from './text-problems';
import { wrongWhole } from './tokens';
import {
  type FormulaNode,
  FUNCTION_NAMES,
  makeCall,
  makeLiteral,
  makeName,
  makeTable,
  OPERATIONS,
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
/** Where a part stands in the text, [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Placing =
  | {
      readonly ok: true;
      readonly node: FormulaNode;
      /** Of every node of the tree; nodes are compared by identity. */
      readonly spans: ReadonlyMap<FormulaNode, Span>;
    }
  | Extract<Parsed, { ok: false }>;

/**
 * The typed tree of a formula's text.
 *
 * @param type what the whole must be; see `fromTokens`
 * @returns the tree, or the first problem with its column
 */
export function parseFormula(text: string, scope: Scope, type: 'bool' | 'float'): Parsed {
  const placing = placeFormula(text, scope, type);
  return placing.ok ? { ok: true, node: placing.node } : placing;
}

/** As `parseFormula`, and where in the text each part of the tree stands. */
export function placeFormula(text: string, scope: Scope, type: 'bool' | 'float'): Placing {
  const problem = findTextProblem(text);
  if (problem !== undefined) return { ok: false, ...problem };
  try {
    const spans = new Map<FormulaNode, Span>();
    const { node } = build(read(text), { text, scope, words: wordsOf(text), spans, next: 0 });
    const wrong = wrongWhole(node, type);
    return wrong === undefined
      ? { ok: true, node, spans }
      : { ok: false, message: wrong, column: 0 };
  } catch (error) {
    if (error instanceof Problem) {
      return { ok: false, message: error.message, column: error.column };
    }
    throw error;
  }
}

function read(text: string): jsep.Expression {
  try {
    return parse(text);
  } catch (error) {
    const { description, message, index } = error as Error & {
      description?: string;
      index?: number;
    };
    // The parser's own words for a sign without an operand.
    const what = (description ?? message).replace(/^missing unaryOp argument/i, 'expected a value');
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
  readonly words: readonly Span[];
  readonly spans: Map<FormulaNode, Span>;
  next: number;
}

interface Placed extends Span {
  readonly node: FormulaNode;
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
    walk.spans.set(made, { start, end });
    return { node: made, start, end };
  };
  const nodes = (parts: readonly Placed[]) => parts.map(({ node }) => node);
  /** Where an operation's arguments do not fit: at the first one of the wrong type. */
  const misfitOf = (operation: Operation, args: readonly Placed[], otherwise: number) => {
    const takesConditions = operation === 'and' || operation === 'or' || operation === 'not';
    return args.find(({ node }) => (node.type === 'bool') !== takesConditions)?.start ?? otherwise;
  };
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
        return placed(unknownOperator(operator), start, arg.end);
      }
      const misfit = misfitOf(operation, [arg], start);
      return placed(makeCall(operation, [arg.node]), start, arg.end, misfit);
    }
    case 'BinaryExpression': {
      const { operator, left, right } = expression as jsep.BinaryExpression;
      const a = build(left, walk);
      const b = build(right, walk);
      const at = text.indexOf(operator, a.end);
      const operation = Object.hasOwn(BINARY, operator) ? BINARY[operator] : undefined;
      if (operation === undefined) return placed(unknownOperator(operator), a.start, b.end, at);
      const made = makeCall(operation, nodes([a, b]));
      return placed(made, a.start, b.end, misfitOf(operation, [a, b], at));
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
      const operation = functionNamed(name);
      const isFull = operation !== undefined && args.length === OPERATIONS[operation];
      const misfit = isFull ? misfitOf(operation, args, start) : start;
      return placed(makeFunction(name, nodes(args), scope), start, end, misfit);
    }
    case 'MemberExpression': {
      const owner = build((expression as jsep.MemberExpression).object, walk);
      throw new Problem('names have no fields', text.indexOf('.', owner.end));
    }
    case 'Compound':
    case 'SequenceExpression': {
      const { body, expressions } = expression as {
        readonly body?: readonly jsep.Expression[];
        readonly expressions?: readonly jsep.Expression[];
      } & jsep.Expression;
      const [first] = (body ?? expressions ?? []) as readonly jsep.Expression[];
      const before = first === undefined ? undefined : build(first, walk);
      throw new Problem('two formulas in a row: join them with && or an operator', nextAt(before));
    }
    default: {
      const { start } = word();
      throw new Problem(`not part of a formula: ${text.slice(start).match(/^\w*/)?.[0]}`, start);
    }
  }

  /** Column of what stands after a part. */
  function nextAt(before: Placed | undefined): number {
    const rest = /[^\s),]/g;
    rest.lastIndex = before?.end ?? 0;
    return rest.exec(text)?.index ?? 0;
  }
}

const functionNamed = (name: string) => FUNCTION_NAMES.find((each) => each === name);

function makeFunction(
  name: string,
  args: readonly FormulaNode[],
  scope: Scope,
): FormulaNode | string {
  const operation = functionNamed(name);
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
