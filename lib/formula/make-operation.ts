import {
  type FormulaNode,
  FUNCTION_NAMES,
  makeCall,
  makeTable,
  type Operation,
  type Scope,
} from './tree';
import { unknownFunction } from './unknown-names';

/** Functions of the text that stand for several operations of the tree. */
export const SUGAR_NAMES = ['where', 'clamp'] as const;

export const functionNamed = (name: string) => FUNCTION_NAMES.find((each) => each === name);

/** What an infix operator makes of its sides; `//` is a quotient rounded down. */
export function makeOperation(
  operation: Operation | '//',
  a: FormulaNode,
  b: FormulaNode,
): FormulaNode | string {
  if (operation === '//') {
    const quotient = makeCall('/', [a, b]);
    return typeof quotient === 'string' ? quotient : makeCall('floor', [quotient]);
  }
  const areConditions = a.type === 'bool' && b.type === 'bool';
  if (areConditions && (operation === '==' || operation === '!=')) {
    const not = makeCall('not', [b]) as FormulaNode;
    return makeCall('select', operation === '==' ? [a, b, not] : [a, not, b]);
  }
  if (areConditions && (operation === '*' || operation === '+')) {
    const join = operation === '*' ? '&&' : '||';
    return `${operation} takes numbers, not conditions (write ${join} between them)`;
  }
  if (operation === '*' && (a.type === 'bool' || b.type === 'bool')) {
    return '* takes numbers, not conditions (write test ? number : 0)';
  }
  return makeCall(operation, [a, b]);
}

/** A call in the text: a function, a table, or what stands for several operations. */
export function makeFunction(
  name: string,
  args: readonly FormulaNode[],
  /** The arguments as they were written. */
  texts: readonly string[],
  scope: Scope,
): FormulaNode | string {
  const operation = functionNamed(name);
  if (operation !== undefined) {
    if ((operation !== 'min' && operation !== 'max') || args.length < 3) {
      return makeCall(operation, args);
    }
    // min and max of many are nested: the stored form knows only two arguments.
    return nested(operation, args);
  }
  if (Object.hasOwn(scope.tables, name)) {
    const [index] = args;
    return index !== undefined && args.length === 1
      ? makeTable(name, index, scope)
      : `${name} takes 1 argument, not ${args.length} (write ${name}(${texts.at(-1) ?? 'k'}))`;
  }
  if (name === 'where' || name === 'clamp') return makeOfThree(name, args);
  return unknownFunction(name, texts, scope);
}

const nested = (operation: Operation, args: readonly FormulaNode[]) =>
  args.reduce<FormulaNode | string>(
    (a, b, i) => (i === 0 ? b : typeof a === 'string' ? a : makeCall(operation, [a, b])),
    '',
  );

function makeOfThree(name: 'where' | 'clamp', args: readonly FormulaNode[]): FormulaNode | string {
  const [a, b, c] = args;
  if (a === undefined || b === undefined || c === undefined || args.length > 3) {
    const what = name === 'where' ? 'test, yes, no' : 'x, low, high';
    return `${name} takes 3 arguments, not ${args.length} (write ${name}(${what}))`;
  }
  if (name === 'where') return makeCall('select', args);
  const above = makeCall('max', [a, b]);
  return typeof above === 'string' ? above : makeCall('min', [above, c]);
}
