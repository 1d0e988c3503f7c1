import { call, f32, f32Const, func, i32, i32Const, local, type WasmFunction } from './wasm-bytes';

/** Functions of the host that a module imports from `math`, f64 to f64, in this order. */
export const WASM_MATH = {
  exp: Math.exp,
  exp2: (x: number) => 2 ** x,
  log: Math.log,
  log2: Math.log2,
  tanh: Math.tanh,
} as const;

export const MATH_NAMES = Object.keys(WASM_MATH) as (keyof typeof WASM_MATH)[];

/** Names of the functions that every module begins with, after its imports, in this order. */
const HELPERS = ['div', 'mod', 'modFloat', 'min', 'max', 'abs'] as const;
export const callHelper = (name: (typeof HELPERS)[number]) =>
  call(MATH_NAMES.length + HELPERS.indexOf(name));

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
    ...[...x, ...x, ...y, ...callHelper('div'), ...y, ...i32.mul, ...i32.sub],
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
  [...x, ...i32Const(0), ...x, ...i32.sub, ...callHelper('max')],
);

export const HELPER_FUNCTIONS: readonly WasmFunction[] = [
  divide,
  modulo,
  moduloFloat,
  minimum,
  maximum,
  absolute,
];
