import { type FormulaNode, type Operation, powerOfTwo } from './tree';
import {
  call,
  f32,
  f32Const,
  func,
  i32,
  i32Const,
  i32Store,
  local,
  moduleBytes,
  type WasmFunction,
} from './wasm-bytes';

/** What formulas read, fixed when the module is made. */
export interface WasmBindings {
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly number: (name: string) => number;
  /** Where a table's f32 values lie in the memory (bytes), and its strides and length in values. */
  readonly table: (name: string) => {
    readonly address: number;
    readonly batchStride: number;
    readonly headStride: number;
    readonly length: number;
  };
}

export interface WasmTile {
  readonly rows: number;
  /** At most 32, the bits of a word. */
  readonly columns: number;
  /** Whether the memory that the module imports is shared. */
  readonly isShared: boolean;
}

/** Functions of the host that the module imports from `math`, f64 to f64, in this order. */
export const WASM_MATH = {
  exp: Math.exp,
  exp2: (x: number) => 2 ** x,
  log: Math.log,
  log2: Math.log2,
  tanh: Math.tanh,
} as const;

const MATH = Object.keys(WASM_MATH) as (keyof typeof WASM_MATH)[];
/** Helper functions after the imports, and what is exported after them. */
const HELPERS = ['div', 'mod', 'modFloat', 'min', 'max', 'abs'] as const;
const helper = (name: (typeof HELPERS)[number]) => call(MATH.length + HELPERS.indexOf(name));

/** Parameters and locals of both exports; `rows` is a parameter of `visible` and idle in `modify`. */
const LOCALS = {
  pointer: 0,
  batch: 1,
  head: 2,
  firstRow: 3,
  firstKey: 4,
  rows: 5,
  q: 6,
  k: 7,
  at: 8,
  row: 9,
  column: 10,
  index: 11,
  score: 12,
  word: 13,
} as const;
const SHARED_LOCALS = [
  { count: 6, type: 'i32' },
  { count: 1, type: 'f32' },
  { count: 1, type: 'i32' },
] as const;

/**
 * A WebAssembly module over an imported `env.memory`, printed from the trees alone; numbers are
 * constants, since a module of this size compiles in no time. It exports, where there is a formula,
 *
 * - `modify(pointer, batch, head, firstRow, firstKey)`: puts the tile of scores at `pointer`, f32
 *   [tile.rows][tile.columns], through the score formula;
 * - `visible(pointer, batch, head, firstRow, firstKey, rows)`: writes u32 [rows] at `pointer`, bit j
 *   of word i set where row i sees column j.
 */
export function printWasm(
  mask: FormulaNode | undefined,
  score: FormulaNode | undefined,
  bindings: WasmBindings,
  tile: WasmTile,
): Uint8Array<ArrayBuffer> {
  const exported = [
    ...(score === undefined ? [] : [modifyFunction(score, bindings, tile)]),
    ...(mask === undefined ? [] : [visibleFunction(mask, bindings, tile)]),
  ];
  const helpers = [divide, modulo, moduloFloat, minimum, maximum, absolute];
  return moduleBytes({
    math: MATH,
    isShared: tile.isShared,
    functions: [...helpers, ...exported],
    exported: exported.map(({ name }) => name),
  });
}

const i32s = (count: number) => Array.from({ length: count }, () => 'i32' as const);

function modifyFunction(score: FormulaNode, bindings: WasmBindings, tile: WasmTile): WasmFunction {
  return func(
    'modify',
    { params: i32s(5), results: [] },
    [{ count: 1, type: 'i32' }, ...SHARED_LOCALS],
    [
      ...forEach(LOCALS.row, i32Const(tile.rows), [
        ...setQuery(bindings),
        ...forEach(LOCALS.column, i32Const(tile.columns), [
          ...setKey,
          ...local.get(LOCALS.row),
          ...i32Const(tile.columns),
          ...i32.mul,
          ...local.get(LOCALS.column),
          ...i32.add,
          ...i32Const(4),
          ...i32.mul,
          ...local.get(LOCALS.pointer),
          ...i32.add,
          ...local.tee(LOCALS.at),
          ...f32.load,
          ...local.set(LOCALS.score),
          ...local.get(LOCALS.at),
          ...printFloat(score, bindings),
          ...f32.store,
        ]),
      ]),
    ],
  );
}

function visibleFunction(mask: FormulaNode, bindings: WasmBindings, tile: WasmTile): WasmFunction {
  return func('visible', { params: i32s(6), results: [] }, SHARED_LOCALS, [
    ...forEach(LOCALS.row, local.get(LOCALS.rows), [
      ...setQuery(bindings),
      ...i32Const(0),
      ...local.set(LOCALS.word),
      ...forEach(LOCALS.column, i32Const(tile.columns), [
        ...setKey,
        ...print(mask, bindings),
        ...local.get(LOCALS.column),
        ...i32.shiftLeft,
        ...local.get(LOCALS.word),
        ...i32.or,
        ...local.set(LOCALS.word),
      ]),
      ...local.get(LOCALS.pointer),
      ...local.get(LOCALS.row),
      ...i32Const(4),
      ...i32.mul,
      ...i32.add,
      ...local.get(LOCALS.word),
      ...i32Store,
    ]),
  ]);
}

/** The row's position among the keys. */
const setQuery = ({ keys, queries }: WasmBindings) => [
  ...local.get(LOCALS.firstRow),
  ...local.get(LOCALS.row),
  ...i32.add,
  ...i32Const(keys - queries),
  ...i32.add,
  ...local.set(LOCALS.q),
];

const setKey = [
  ...local.get(LOCALS.firstKey),
  ...local.get(LOCALS.column),
  ...i32.add,
  ...local.set(LOCALS.k),
];

/** `for (local = 0; local < count; local++) body`, with count at least 1. */
function forEach(index: number, count: readonly number[], body: readonly number[]): number[] {
  return [
    ...i32Const(0),
    ...local.set(index),
    ...[0x03, 0x40],
    ...body,
    ...local.get(index),
    ...i32Const(1),
    ...i32.add,
    ...local.tee(index),
    ...count,
    ...i32.lt,
    ...[0x0d, 0],
    0x0b,
  ];
}

const printFloat = (node: FormulaNode, bindings: WasmBindings): number[] =>
  node.type === 'int' ? [...print(node, bindings), ...f32.convert] : print(node, bindings);

const printAs = (node: FormulaNode, type: FormulaNode['type'], bindings: WasmBindings) =>
  type === 'float' ? printFloat(node, bindings) : print(node, bindings);

function print(node: FormulaNode, bindings: WasmBindings): number[] {
  switch (node.kind) {
    case 'literal':
      return node.type === 'int' ? i32Const(node.value) : f32Const(node.value);
    case 'number': {
      const value = bindings.number(node.name);
      return node.type === 'int' ? i32Const(value) : f32Const(value);
    }
    case 'variable':
      return printVariable(node.name, bindings);
    case 'table': {
      const { address, batchStride, headStride, length } = bindings.table(node.name);
      const read = [
        ...clamped(print(node.index, bindings), length - 1),
        ...local.get(LOCALS.batch),
        ...i32Const(batchStride),
        ...i32.mul,
        ...i32.add,
        ...local.get(LOCALS.head),
        ...i32Const(headStride),
        ...i32.mul,
        ...i32.add,
        ...i32Const(4),
        ...i32.mul,
        ...i32Const(address),
        ...i32.add,
        ...f32.load,
      ];
      return node.type === 'int' ? [...read, ...f32.truncate] : read;
    }
    case 'call':
      return printCall(node, bindings);
  }
}

function printVariable(name: string, { queries, keys, heads }: WasmBindings): number[] {
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
      return i32Const(queries);
    case 'keys':
      return i32Const(keys);
    case 'heads':
      return i32Const(heads);
    default:
      throw new Error(`unknown variable: ${name}`);
  }
}

/** One of two i32 values by the condition on the stack. */
const ifElse = (yes: readonly number[], no: readonly number[]) => [
  ...[0x04, 0x7f],
  ...yes,
  0x05,
  ...no,
  0x0b,
];

/** An index pushed into 0..last, without a call. */
function clamped(index: readonly number[], last: number): number[] {
  const at = local.get(LOCALS.index);
  return [
    ...index,
    ...local.tee(LOCALS.index),
    ...i32Const(0),
    ...[...at, ...i32Const(0), ...i32.gt, 0x1b],
    ...local.tee(LOCALS.index),
    ...i32Const(last),
    ...[...at, ...i32Const(last), ...i32.lt, 0x1b],
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
  mod: [helper('mod'), helper('modFloat')],
  min: [helper('min'), f32.min],
  max: [helper('max'), f32.max],
};

function printCall(
  { operation, args, type }: Extract<FormulaNode, { kind: 'call' }>,
  bindings: WasmBindings,
): number[] {
  const [a, b, c] = args as [FormulaNode, FormulaNode, FormulaNode];
  const isFloat = args.some((arg) => arg.type === 'float');
  const both = (as: FormulaNode['type']) => [
    ...printAs(a, as, bindings),
    ...printAs(b, as, bindings),
  ];
  const comparison = COMPARISONS[operation];
  if (comparison !== undefined) {
    return [...both(isFloat ? 'float' : 'int'), ...comparison[isFloat ? 1 : 0]];
  }
  const mask = operation === 'mod' && type === 'int' ? powerOfTwo(b) : undefined;
  if (mask !== undefined) return [...print(a, bindings), ...i32Const(2 ** mask - 1), ...i32.and];
  const arithmetic = ARITHMETIC[operation];
  if (arithmetic !== undefined) return [...both(type), ...arithmetic[type === 'int' ? 0 : 1]];
  switch (operation) {
    case '/':
      return [...both('float'), ...f32.div];
    case 'div': {
      const exponent = powerOfTwo(b);
      return exponent === undefined
        ? [...both('int'), ...helper('div')]
        : [...print(a, bindings), ...i32Const(exponent), ...i32.shift];
    }
    // The second side may read tables: it is left out where the first decides.
    case 'and':
      return [...print(a, bindings), ...ifElse(print(b, bindings), i32Const(0))];
    case 'or':
      return [...print(a, bindings), ...ifElse(i32Const(1), print(b, bindings))];
    case 'not':
      return [...print(a, bindings), ...i32.eqz];
    case 'select':
      return [
        ...printAs(b, type, bindings),
        ...printAs(c, type, bindings),
        ...print(a, bindings),
        0x1b,
      ];
    case 'neg':
      return type === 'int'
        ? [...i32Const(0), ...print(a, bindings), ...i32.sub]
        : [...print(a, bindings), ...f32.neg];
    case 'abs':
      return [...print(a, bindings), ...(type === 'int' ? helper('abs') : f32.abs)];
    case 'floor':
      return [...print(a, bindings), ...f32.floor, ...f32.truncate];
    case 'sqrt':
      return [...printFloat(a, bindings), ...f32.sqrt];
    default: {
      const at = MATH.indexOf(operation as (typeof MATH)[number]);
      if (at < 0) throw new Error(`cannot print ${operation}`);
      return [...printFloat(a, bindings), ...f32.promote, ...call(at), ...f32.demote];
    }
  }
}

const binary = { params: ['i32', 'i32'], results: ['i32'] } as const;
const [x, y] = [local.get(0), local.get(1)];

/** Floor division; by zero gives 0. */
const divide = func(
  'div',
  binary,
  [{ count: 1, type: 'i32' }],
  [
    ...[...y, ...i32.eqz, 0x04, 0x40, ...i32Const(0), 0x0f, 0x0b],
    // Signed division overflows at the smallest number by -1 alone.
    ...[...y, ...i32Const(-1), ...i32.eq, 0x04, 0x40, ...i32Const(0), ...x, ...i32.sub, 0x0f, 0x0b],
    ...[...x, ...y, ...i32.div, ...local.set(2)],
    ...local.get(2),
    // One less where it was rounded up: a remainder, and signs that differ.
    ...[...local.get(2), ...y, ...i32.mul, ...x, ...i32.ne],
    ...[...x, ...i32Const(0), ...i32.lt, ...y, ...i32Const(0), ...i32.lt, ...i32.ne],
    ...i32.and,
    ...i32.sub,
  ],
);
const modulo = func(
  'mod',
  binary,
  [],
  [
    ...[...y, ...i32.eqz, 0x04, 0x40, ...i32Const(0), 0x0f, 0x0b],
    ...[...x, ...x, ...y, ...helper('div'), ...y, ...i32.mul, ...i32.sub],
  ],
);
const moduloFloat = func(
  'modFloat',
  { params: ['f32', 'f32'], results: ['f32'] },
  [],
  [
    ...[...y, ...f32Const(0), ...f32.eq, 0x04, 0x40, ...f32Const(0), 0x0f, 0x0b],
    ...[...x, ...y, ...x, ...y, ...f32.div, ...f32.floor, ...f32.mul, ...f32.sub],
  ],
);
const minimum = func('min', binary, [], [...x, ...y, ...x, ...y, ...i32.lt, 0x1b]);
const maximum = func('max', binary, [], [...x, ...y, ...x, ...y, ...i32.gt, 0x1b]);
const absolute = func(
  'abs',
  { params: ['i32'], results: ['i32'] },
  [],
  [...x, ...i32Const(0), ...x, ...i32.sub, ...helper('max')],
);
