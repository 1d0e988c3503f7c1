import type jsep from 'jsep';
import {
  binaryOperation,
  isBracketed,
  lowerNot,
  OPERATOR_WORDS,
  type ParserError,
  parseExpression,
  unaryOperation,
} from './dialect';
import { functionNamed, makeFunction, makeOperation } from './make-operation';
import { findTextProblem, plainText } from './text-problems';
import { wrongWhole } from './tokens';
import {
  COMPARISONS,
  type FormulaNode,
  MAX_NODES,
  makeCall,
  makeLiteral,
  makeName,
  namesOf,
  OPERATIONS,
  type Operation,
  type Scope,
} from './tree';
import { unknownName, unknownOperator } from './unknown-names';

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
  const plain = plainText(text);
  const names = new Set(namesOf(scope));
  const problem = findTextProblem(plain, (word) => names.has(word) || names.has(`${word}()`));
  if (problem !== undefined) return { ok: false, ...problem };
  try {
    const spans = new Map<FormulaNode, Span>();
    const walk: Walk = { text: plain, scope, words: wordsOf(plain), spans, next: 0 };
    const { node } = build(read(plain), walk);
    const wrong = wrongWhole(node, type);
    return wrong === undefined
      ? { ok: true, node, spans }
      : { ok: false, message: wrong, column: tooManyAt(spans) };
  } catch (error) {
    if (error instanceof Problem) {
      return { ok: false, message: error.message, column: error.column };
    }
    throw error;
  }
}

/** Column of the first part beyond those that a formula may have; 0 where there is none. */
function tooManyAt(spans: ReadonlyMap<FormulaNode, Span>): number {
  const inOrder = [...spans.values()].sort((a, b) => a.end - b.end);
  return inOrder[MAX_NODES]?.start ?? 0;
}

function read(text: string): jsep.Expression {
  try {
    return parseExpression(text);
  } catch (error) {
    const { description, message, index } = error as ParserError;
    // The parser's own words for a sign without an operand.
    const what = (description ?? message)
      .replace(/^missing unaryOp argument/i, 'expected a value')
      .replace(/^expected comma$/i, 'expected a comma between arguments')
      .replace(/^expected :$/i, 'expected : and what holds otherwise');
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
  /** Of a comparison: what stands on its right, with which a chain goes on. */
  readonly last?: Placed;
}

const WORD = /[A-Za-z_]\w*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/g;

const wordsOf = (text: string) =>
  [...text.matchAll(WORD)]
    .filter(({ 0: word }) => !OPERATOR_WORDS.has(word))
    .map(({ 0: word, index }) => ({ start: index, end: index + word.length }));

function build(given: jsep.Expression, walk: Walk): Placed {
  const { text, scope } = walk;
  const expression = lowerNot(given);
  const word = () => walk.words[walk.next++] ?? { start: text.length, end: text.length };
  const placed = (made: FormulaNode | string, start: number, end: number, at = start): Placed => {
    if (typeof made === 'string') throw new Problem(made, at);
    walk.spans.set(made, { start, end });
    return { node: made, start, end };
  };
  switch (expression.type) {
    case 'Literal': {
      const { value, raw } = expression as jsep.Literal;
      const { start, end } = word();
      if (typeof value !== 'number') {
        return placed(`invalid value: ${raw} (expected a number)`, start, end);
      }
      const isHuge = !Number.isFinite(value) || Math.abs(value) > 1e30;
      const made = isHuge ? `invalid number: ${raw} (expected at most 1e30)` : makeLiteral(value);
      return placed(made, start, end);
    }
    case 'ThisExpression':
    case 'Identifier': {
      const { start, end } = word();
      const { name = 'this' } = expression as jsep.Identifier;
      const made = makeName(name, scope);
      const isUnknown = typeof made === 'string' && !Object.hasOwn(scope.tables, name);
      return placed(isUnknown ? unknownName(name, scope) : made, start, end);
    }
    case 'UnaryExpression': {
      const { operator, argument } = expression as jsep.UnaryExpression;
      const arg = build(argument, walk);
      const start = Math.max(0, text.lastIndexOf(operator, arg.start));
      if (operator === '+') return arg;
      const operation = unaryOperation(operator);
      if (operation === undefined) return placed(unknownOperator(operator), start, arg.end);
      const misfit = misfitOf(operation, [arg], start);
      return placed(makeCall(operation, [arg.node]), start, arg.end, misfit);
    }
    case 'BinaryExpression': {
      const { operator, left, right } = expression as jsep.BinaryExpression;
      const a = build(left, walk);
      const b = build(right, walk);
      const at = text.indexOf(operator, a.end);
      // `a < b < c` is `a < b && b < c`, unless brackets hold the first together.
      const chained = isBracketed(left) ? undefined : a.last;
      const operation = binaryOperation(operator);
      if (operation === undefined) {
        const sides = [a, b].map(({ start, end }) => text.slice(start, end));
        return placed(unknownOperator(operator, ...sides), a.start, b.end, at);
      }
      const isComparison = operation !== '//' && COMPARISONS.has(operation);
      if (chained !== undefined && isComparison) {
        const next = makeCall(operation, [chained.node, b.node]);
        const whole =
          typeof next === 'string'
            ? next
            : placed(
                makeCall('and', [a.node, placed(next, chained.start, b.end).node]),
                a.start,
                b.end,
              ).node;
        return { ...placed(whole, a.start, b.end, misfitOf(operation, [chained, b], at)), last: b };
      }
      const made = makeOperation(operation, a.node, b.node);
      const result = placed(made, a.start, b.end, misfitOf(operation, [a, b], at));
      return isComparison ? { ...result, last: b } : result;
    }
    case 'ConditionalExpression': {
      const { test, consequent, alternate } = expression as jsep.ConditionalExpression;
      const parts = [test, consequent, alternate].map((part) => build(part, walk));
      const [first, , last] = parts as [Placed, Placed, Placed];
      const at = text.indexOf('?', first.end);
      return placed(makeCall('select', nodesOf(parts)), first.start, last.end, at);
    }
    case 'CallExpression': {
      const { callee, arguments: given } = expression as jsep.CallExpression;
      if (callee.type !== 'Identifier') return notCalled(build(callee, walk));
      const { start } = word();
      const { name } = callee as jsep.Identifier;
      const args = given.map((arg) => build(arg, walk));
      for (const [i, arg] of args.entries()) {
        // The parser lets a missing comma pass.
        const before = args[i - 1];
        if (before !== undefined && !text.slice(before.end, arg.start).includes(',')) {
          throw new Problem('expected a comma between arguments', arg.start);
        }
      }
      const end = text.indexOf(')', args.at(-1)?.end ?? start) + 1;
      const operation = functionNamed(name);
      const isFull = operation !== undefined && args.length === OPERATIONS[operation];
      const misfit = isFull ? misfitOf(operation, args, start) : start;
      const texts = args.map((arg) => text.slice(arg.start, arg.end));
      return placed(makeFunction(name, nodesOf(args), texts, scope), start, end, misfit);
    }
    case 'MemberExpression': {
      const { object, property, computed } = expression as jsep.MemberExpression;
      if (object.type !== 'Identifier') return notCalled(build(object, walk));
      const { start, end } = word();
      const { name } = object as jsep.Identifier;
      if (!computed) throw new Problem('names have no fields', text.indexOf('.', end));
      const index = build(property, walk);
      const close = text.indexOf(']', index.end) + 1;
      const texts = [text.slice(index.start, index.end)];
      return placed(makeFunction(name, [index.node], texts, scope), start, close);
    }
    case 'Compound':
    case 'SequenceExpression': {
      const { body, expressions } = expression as {
        readonly body?: readonly jsep.Expression[];
        readonly expressions?: readonly jsep.Expression[];
      } & jsep.Expression;
      const [first] = (body ?? expressions ?? []) as readonly jsep.Expression[];
      const before = first === undefined ? undefined : build(first, walk);
      const comma = /^[\s)]*,/.exec(text.slice(before?.end ?? 0));
      if (comma !== null) {
        const column = (before?.end ?? 0) + comma[0].length - 1;
        throw new Problem('a comma stands between arguments only', column);
      }
      throw new Problem('two formulas in a row: join them with && or an operator', nextAt(before));
    }
    case 'ArrayExpression':
      throw new Problem('unexpected [ (write document(q), or brackets ( and ))', nextWord('['));
    default: {
      const { start } = word();
      throw new Problem(`not part of a formula: ${text.slice(start).match(/^\w*/)?.[0]}`, start);
    }
  }

  function notCalled({ end }: Placed): never {
    throw new Problem('only names can be called (write * between factors)', nextWord('(', end));
  }

  function nextWord(sign: string, from = walk.words[walk.next - 1]?.end ?? 0): number {
    return Math.max(0, text.indexOf(sign, from));
  }

  /** Column of what stands after a part. */
  function nextAt(before: Placed | undefined): number {
    const rest = /[^\s),]/g;
    rest.lastIndex = before?.end ?? 0;
    return rest.exec(text)?.index ?? 0;
  }
}

const nodesOf = (parts: readonly Placed[]) => parts.map(({ node }) => node);

/** Where an operation's arguments do not fit: at the first one of the wrong type. */
function misfitOf(operation: Operation | '//', args: readonly Placed[], otherwise: number): number {
  const takesConditions = operation === 'and' || operation === 'or' || operation === 'not';
  return args.find(({ node }) => (node.type === 'bool') !== takesConditions)?.start ?? otherwise;
}
