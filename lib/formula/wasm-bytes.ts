// Just enough of the WebAssembly binary format (core specification, section 5) for formulas.

export type WasmType = 'i32' | 'f32' | 'f64';

const TYPE_BYTES = { i32: 0x7f, f32: 0x7d, f64: 0x7c } as const;

export interface WasmFunction {
  readonly name: string;
  readonly type: { readonly params: readonly WasmType[]; readonly results: readonly WasmType[] };
  readonly locals: readonly { readonly count: number; readonly type: WasmType }[];
  readonly body: readonly number[];
}

export const func = (
  name: string,
  type: WasmFunction['type'],
  locals: WasmFunction['locals'],
  body: readonly number[],
): WasmFunction => ({ name, type, locals, body });

export const i32 = {
  eqz: [0x45],
  eq: [0x46],
  ne: [0x47],
  lt: [0x48],
  gt: [0x4a],
  le: [0x4c],
  ge: [0x4e],
  add: [0x6a],
  sub: [0x6b],
  mul: [0x6c],
  div: [0x6d],
  and: [0x71],
  or: [0x72],
  shiftLeft: [0x74],
  /** Arithmetic shift to the right. */
  shift: [0x75],
} as const;

/** Of an i32. */
export const i32Store = [0x36, 2, 0];

export const f32 = {
  load: [0x2a, 2, 0],
  store: [0x38, 2, 0],
  eq: [0x5b],
  ne: [0x5c],
  lt: [0x5d],
  gt: [0x5e],
  le: [0x5f],
  ge: [0x60],
  abs: [0x8b],
  neg: [0x8c],
  floor: [0x8e],
  sqrt: [0x91],
  add: [0x92],
  sub: [0x93],
  mul: [0x94],
  div: [0x95],
  min: [0x96],
  max: [0x97],
  /** From i32. */
  convert: [0xb2],
  /** From and to f64. */
  demote: [0xb6],
  promote: [0xbb],
  /** To i32, saturating. */
  truncate: [0xfc, 0],
} as const;

export const local = {
  get: (index: number) => [0x20, ...unsigned(index)],
  set: (index: number) => [0x21, ...unsigned(index)],
  tee: (index: number) => [0x22, ...unsigned(index)],
};

export const globalGet = (index: number) => [0x23, ...unsigned(index)];

export const call = (index: number) => [0x10, ...unsigned(index)];

export const i32Const = (value: number) => [0x41, ...signed(value)];

export function f32Const(value: number): number[] {
  return [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

const text = (value: string) => {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
};
const list = (items: readonly (readonly number[])[]) => [
  ...unsigned(items.length),
  ...items.flat(),
];
const section = (id: number, bytes: readonly number[]) => [id, ...unsigned(bytes.length), ...bytes];

const functionType = ({ params, results }: WasmFunction['type']) => [
  0x60,
  ...list(params.map((type) => [TYPE_BYTES[type]])),
  ...list(results.map((type) => [TYPE_BYTES[type]])),
];

export interface WasmModule {
  /** Imports from `math`, f64 to f64; they are functions 0 and up. */
  readonly math: readonly string[];
  /** Immutable globals from `value`; they are globals 0 and up. */
  readonly values: readonly { readonly name: string; readonly type: WasmType }[];
  readonly isShared: boolean;
  /** Follow the imports. */
  readonly functions: readonly WasmFunction[];
  readonly exported: readonly string[];
}

/** A module over an imported `env.memory`. */
export function moduleBytes({
  math,
  values,
  isShared,
  functions,
  exported,
}: WasmModule): Uint8Array<ArrayBuffer> {
  const types = [
    functionType({ params: ['f64'], results: ['f64'] }),
    ...functions.map(({ type }) => functionType(type)),
  ];
  const memory = [
    ...text('env'),
    ...text('memory'),
    0x02,
    ...[isShared ? 3 : 1, ...unsigned(1), ...unsigned(65_536)],
  ];
  const imports = [
    memory,
    ...math.map((name) => [...text('math'), ...text(name), 0, 0]),
    ...values.map(({ name, type }) => [...text('value'), ...text(name), 3, TYPE_BYTES[type], 0]),
  ];
  const exports = exported.map((each) => {
    const index = math.length + functions.findIndex(({ name }) => name === each);
    return [...text(each), 0, ...unsigned(index)];
  });
  const codes = functions.map(({ locals, body }) => {
    const code = [
      ...list(locals.map(({ count, type }) => [...unsigned(count), TYPE_BYTES[type]])),
      ...body,
      0x0b,
    ];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list(imports)),
    ...section(3, list(functions.map((_, i) => unsigned(i + 1)))),
    ...section(7, list(exports)),
    ...section(10, list(codes)),
  ]);
}
