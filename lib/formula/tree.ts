/** Types of a formula's values. Positions, heads, lengths and whole parameters are `int`. */
export type ValueType = 'int' | 'float' | 'bool';

/** Operations by their token in the stored form. */
export const OPERATIONS = {
  '+': 2,
  '-': 2,
  '*': 2,
  '/': 2,
  neg: 1,
  div: 2,
  mod: 2,
  min: 2,
  max: 2,
  abs: 1,
  floor: 1,
  exp: 1,
  exp2: 1,
  log: 1,
  log2: 1,
  sqrt: 1,
  tanh: 1,
  '<': 2,
  '<=': 2,
  '>': 2,
  '>=': 2,
  '==': 2,
  '!=': 2,
  and: 2,
  or: 2,
  not: 1,
  select: 3,
} as const satisfies Readonly<Record<string, number>>;

export type Operation = keyof typeof OPERATIONS;

export const isOperation = (token: string): token is Operation => Object.hasOwn(OPERATIONS, token);

/** A typed formula. It is stored as postfix tokens; kernels, the reference and block lists are made from it alone. */
export type FormulaNode =
  | { readonly kind: 'literal'; readonly value: number; readonly type: 'int' | 'float' }
  | { readonly kind: 'variable'; readonly name: string; readonly type: ValueType }
  | { readonly kind: 'number'; readonly name: string; readonly type: 'int' | 'float' }
  | {
      readonly kind: 'table';
      readonly name: string;
      readonly index: FormulaNode;
      readonly type: 'int' | 'float';
    }
  | {
      readonly kind: 'call';
      readonly operation: Operation;
      readonly args: readonly FormulaNode[];
      readonly type: ValueType;
    };

/** Names that a formula may use, and their types. */
export interface Scope {
  readonly variables: Readonly<Record<string, ValueType>>;
  /** Named numbers: sliders, uniforms of a kernel. */
  readonly numbers: Readonly<Record<string, 'int' | 'float'>>;
  /** Tables read at a position: tags of tokens, biases by distance. */
  readonly tables: Readonly<Record<string, 'int' | 'float'>>;
}

/** Positions of one call of attention. `q` is a position among the keys: queries are the last of them. */
export const POSITION_VARIABLES = {
  b: 'int',
  h: 'int',
  q: 'int',
  k: 'int',
  queries: 'int',
  keys: 'int',
  heads: 'int',
} as const satisfies Readonly<Record<string, ValueType>>;

export const MASK_VARIABLES: Readonly<Record<string, ValueType>> = POSITION_VARIABLES;
/** A score formula also sees the scaled dot product. */
export const SCORE_VARIABLES: Readonly<Record<string, ValueType>> = {
  ...POSITION_VARIABLES,
  score: 'float',
};

/** More than this is not a formula but a program; it also bounds the time that a shader compiles. */
export const MAX_NODES = 128;

const isNumeric = ({ type }: FormulaNode) => type !== 'bool';
const unified = (a: FormulaNode, b: FormulaNode): 'int' | 'float' =>
  a.type === 'int' && b.type === 'int' ? 'int' : 'float';

/** Operations whose token is not what is written. */
const SYMBOLS: Partial<Record<Operation, string>> = {
  and: '&&',
  or: '||',
  neg: '-',
  mod: '%',
  div: 'floor(/)',
};
export const COMPARISONS: ReadonlySet<Operation> = new Set(['<', '<=', '>', '>=', '==', '!=']);

/** An operation over its arguments, typed; a string says why it cannot be. */
export function makeCall(operation: Operation, args: readonly FormulaNode[]): FormulaNode | string {
  const call = (type: ValueType): FormulaNode => ({ kind: 'call', operation, args, type });
  const [a, b, c] = args as [FormulaNode, FormulaNode, FormulaNode];
  const arity = OPERATIONS[operation];
  if (args.length !== arity) {
    return `${operation} takes ${arity} ${arity === 1 ? 'argument' : 'arguments'}, not ${args.length}`;
  }
  switch (operation) {
    case 'and':
    case 'or':
    case 'not':
      return args.every((arg) => !isNumeric(arg))
        ? call('bool')
        : operation === 'not'
          ? '! turns a condition round, not a number: compare it first'
          : `${SYMBOLS[operation]} joins conditions, not numbers: compare them first`;
    case 'select':
      if (isNumeric(a)) return 'the test of ?: must be a condition';
      if (isNumeric(b) !== isNumeric(c)) {
        return 'the two sides of ?: must both be numbers, or both conditions';
      }
      return call(isNumeric(b) ? unified(b, c) : 'bool');
    default:
  }
  if (!args.every(isNumeric)) {
    const comparison = COMPARISONS.has(operation) ? ': join comparisons with &&' : '';
    return `${SYMBOLS[operation] ?? operation} takes numbers, not conditions${comparison}`;
  }
  switch (operation) {
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '==':
    case '!=':
      return call('bool');
    case '+':
    case '-':
    case '*':
    case 'min':
    case 'max':
    case 'mod':
      return call(unified(a, b));
    case 'neg':
      // One form of a negative number, so that text and tokens come back as they were.
      return a.kind === 'literal' ? { ...a, value: 0 - a.value } : call(a.type);
    case 'abs':
      return call(a.type);
    case 'floor':
      // A quotient of whole numbers is divided as whole numbers: floats would round at exact multiples.
      if (a.kind === 'call' && a.operation === '/' && a.args.every(({ type }) => type === 'int')) {
        return { kind: 'call', operation: 'div', args: a.args, type: 'int' };
      }
      return a.type === 'int' ? a : call('int');
    case 'div':
      return a.type === 'int' && b.type === 'int' ? call('int') : 'div takes whole numbers';
    default:
      return call('float');
  }
}

/** A name as a leaf, or a string that says why not. Tables need an index: see `makeTable`. */
export function makeName(name: string, scope: Scope): FormulaNode | string {
  if (Object.hasOwn(scope.variables, name)) {
    return { kind: 'variable', name, type: scope.variables[name] as ValueType };
  }
  if (Object.hasOwn(scope.numbers, name)) {
    return { kind: 'number', name, type: scope.numbers[name] as 'int' | 'float' };
  }
  if (Object.hasOwn(scope.tables, name))
    return `${name} is a table: write ${name}(q) or ${name}(k)`;
  return `unknown name: ${name} (known: ${namesOf(scope).join(', ')})`;
}

export function makeTable(name: string, index: FormulaNode, scope: Scope): FormulaNode | string {
  if (!Object.hasOwn(scope.tables, name)) {
    return `unknown function: ${name} (known: ${FUNCTION_NAMES.join(', ')})`;
  }
  if (index.type !== 'int') return `${name} is read at a whole number, such as q, k or q - k`;
  return { kind: 'table', name, index, type: scope.tables[name] as 'int' | 'float' };
}

export function makeLiteral(value: number): FormulaNode | string {
  if (!Number.isFinite(value) || Math.abs(value) > 1e30) {
    return `invalid number: ${value} (expected at most 1e30)`;
  }
  const isInt = Number.isInteger(value) && Math.abs(value) < 2 ** 24;
  return { kind: 'literal', value: value + 0, type: isInt ? 'int' : 'float' };
}

/** Names that numbers and tables must leave alone. */
export const isReservedName = (name: string): boolean =>
  Object.hasOwn(SCORE_VARIABLES, name) || isOperation(name);

/** Operations that are written as functions in the text. */
export const FUNCTION_NAMES = [
  'min',
  'max',
  'abs',
  'floor',
  'mod',
  'exp',
  'exp2',
  'log',
  'log2',
  'sqrt',
  'tanh',
] as const satisfies readonly Operation[];

export const namesOf = (scope: Scope): readonly string[] => [
  ...Object.keys(scope.variables),
  ...Object.keys(scope.numbers),
  ...Object.keys(scope.tables).map((name) => `${name}()`),
];

export function countNodes(node: FormulaNode): number {
  switch (node.kind) {
    case 'call':
      return node.args.reduce((sum, arg) => sum + countNodes(arg), 1);
    case 'table':
      return 1 + countNodes(node.index);
    default:
      return 1;
  }
}

/** n where the node is the literal 2^n: floor division by it is a shift, the remainder a bit mask. */
export function powerOfTwo(node: FormulaNode): number | undefined {
  if (node.kind !== 'literal' || node.type !== 'int' || node.value < 1) return undefined;
  const exponent = Math.log2(node.value);
  return Number.isInteger(exponent) ? exponent : undefined;
}

/** Whether the formula reads a variable anywhere. */
export function reads(node: FormulaNode, variable: string): boolean {
  switch (node.kind) {
    case 'call':
      return node.args.some((arg) => reads(arg, variable));
    case 'table':
      return reads(node.index, variable);
    case 'variable':
      return node.name === variable;
    default:
      return false;
  }
}
