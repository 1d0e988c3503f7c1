import { LARGEST_WHOLE } from './evaluate';
import { type FormulaNode, type Operation, powerOfTwo } from './tree';
import { call, f32, f32Const, i32, i32Const, local } from './wasm-bytes';
import { callHelper, MATH_NAMES } from './wasm-helpers';
import { LOCALS, type Values } from './wasm-values';

/** The formula's value, as f32, on the stack. */
export const printFloat = (node: FormulaNode, values: Values): readonly number[] =>
  node.type === 'int' ? [...print(node, values), ...f32.convert] : print(node, values);

const printAs = (node: FormulaNode, type: FormulaNode['type'], values: Values) =>
  type === 'float' ? printFloat(node, values) : print(node, values);

/** The formula's value on the stack: i32 for whole numbers and conditions, else f32. */
export function print(node: FormulaNode, values: Values): readonly number[] {
  switch (node.kind) {
    case 'literal':
      return node.type === 'int' ? i32Const(node.value) : f32Const(node.value);
    case 'number':
      return values.number(node.name, node.type);
    case 'variable':
      return printVariable(node.name, values);
    case 'table': {
      const { address, batchStride, headStride, last } = values.table(node.name);
      const read = [
        ...clamped(print(node.index, values), last),
        ...local.get(LOCALS.batch),
        ...batchStride,
        ...i32.mul,
        ...i32.add,
        ...local.get(LOCALS.head),
        ...headStride,
        ...i32.mul,
        ...i32.add,
        ...i32Const(4),
        ...i32.mul,
        ...address,
        ...i32.add,
        ...f32.load,
      ];
      return node.type === 'int' ? [...read, ...truncated] : read;
    }
    case 'call':
      return printCall(node, values);
  }
}

function printVariable(name: string, values: Values): readonly number[] {
  switch (name) {
    case 'b':
      return local.get(LOCALS.batch);
    case 'h':
      return local.get(LOCALS.head);
    case 'q':
      return local.get(LOCALS.q);
    case 'k':
      return local.get(LOCALS.k);
    case 'score':
      return local.get(LOCALS.score);
    case 'queries':
      return values.length('queries');
    case 'keys':
      return values.length('keys');
    case 'heads':
      return values.length('heads');
    default:
      throw new Error(`unknown variable: ${name}`);
  }
}

/** An f32 as i32, held within what WGSL makes of it too. NaN gives 0. */
const truncated = [...f32Const(LARGEST_WHOLE), ...f32.min, ...f32.truncate];

/** One of two i32 values by the condition on the stack. */
const ifElse = (yes: readonly number[], no: readonly number[]) => [
  ...[0x04, 0x7f],
  ...yes,
  0x05,
  ...no,
  0x0b,
];

/** An index pushed into 0..last, without a call. */
function clamped(index: readonly number[], last: readonly number[]): number[] {
  const at = local.get(LOCALS.index);
  return [
    ...index,
    ...local.tee(LOCALS.index),
    ...i32Const(0),
    ...[...at, ...i32Const(0), ...i32.gt, 0x1b],
    ...local.tee(LOCALS.index),
    ...last,
    ...[...at, ...last, ...i32.lt, 0x1b],
  ];
}

const COMPARISONS: Partial<
  Record<Operation, readonly [int: readonly number[], float: readonly number[]]>
> = {
  '<': [i32.lt, f32.lt],
  '<=': [i32.le, f32.le],
  '>': [i32.gt, f32.gt],
  '>=': [i32.ge, f32.ge],
  '==': [i32.eq, f32.eq],
  '!=': [i32.ne, f32.ne],
};
const ARITHMETIC: Partial<
  Record<Operation, readonly [int: readonly number[], float: readonly number[]]>
> = {
  '+': [i32.add, f32.add],
  '-': [i32.sub, f32.sub],
  '*': [i32.mul, f32.mul],
  mod: [callHelper('mod'), callHelper('modFloat')],
  min: [callHelper('min'), f32.min],
  max: [callHelper('max'), f32.max],
};

function printCall(
  { operation, args, type }: Extract<FormulaNode, { kind: 'call' }>,
  values: Values,
): readonly number[] {
  const [a, b, c] = args as [FormulaNode, FormulaNode, FormulaNode];
  const isFloat = args.some((arg) => arg.type === 'float');
  const both = (as: FormulaNode['type']) => [...printAs(a, as, values), ...printAs(b, as, values)];
  const comparison = COMPARISONS[operation];
  if (comparison !== undefined) {
    return [...both(isFloat ? 'float' : 'int'), ...comparison[isFloat ? 1 : 0]];
  }
  const mask = operation === 'mod' && type === 'int' ? powerOfTwo(b) : undefined;
  if (mask !== undefined) return [...print(a, values), ...i32Const(2 ** mask - 1), ...i32.and];
  const arithmetic = ARITHMETIC[operation];
  if (arithmetic !== undefined) return [...both(type), ...arithmetic[type === 'int' ? 0 : 1]];
  switch (operation) {
    case '/':
      return [...both('float'), ...f32.div];
    case 'div': {
      const exponent = powerOfTwo(b);
      return exponent === undefined
        ? [...both('int'), ...callHelper('div')]
        : [...print(a, values), ...i32Const(exponent), ...i32.shift];
    }
    // The second side may read tables: it is left out where the first decides.
    case 'and':
      return [...print(a, values), ...ifElse(print(b, values), i32Const(0))];
    case 'or':
      return [...print(a, values), ...ifElse(i32Const(1), print(b, values))];
    case 'not':
      return [...print(a, values), ...i32.eqz];
    case 'select':
      return [...printAs(b, type, values), ...printAs(c, type, values), ...print(a, values), 0x1b];
    case 'neg':
      return type === 'int'
        ? [...i32Const(0), ...print(a, values), ...i32.sub]
        : [...print(a, values), ...f32.neg];
    case 'abs':
      return [...print(a, values), ...(type === 'int' ? callHelper('abs') : f32.abs)];
    case 'floor':
      return [...print(a, values), ...f32.floor, ...truncated];
    case 'sqrt':
      return [...printFloat(a, values), ...f32.sqrt];
    default: {
      const at = MATH_NAMES.indexOf(operation as (typeof MATH_NAMES)[number]);
      if (at < 0) throw new Error(`cannot print ${operation}`);
      return [...printFloat(a, values), ...f32.promote, ...call(at), ...f32.demote];
    }
  }
}
