import { globalGet, type WasmType } from './wasm-bytes';

/** What formulas read in one call of attention. */
export interface WasmBindings {
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly numbers: readonly { readonly name: string; readonly value: number }[];
  readonly tables: readonly WasmTable[];
}

/** Where a table's f32 values lie in the memory (bytes), and its strides and length in values. */
export interface WasmTable {
  readonly name: string;
  readonly address: number;
  readonly batchStride: number;
  readonly headStride: number;
  readonly length: number;
}

/** Values that a module imports as globals, so that no number of a call is part of the module. */
export type WasmValues = Readonly<Record<string, number>>;

/** Globals of every call; `first` is the position of the first query among the keys. */
export function wasmValues({ queries, keys, heads, numbers, tables }: WasmBindings): WasmValues {
  return Object.fromEntries([
    ['queries', queries],
    ['keys', keys],
    ['heads', heads],
    ['first', keys - queries],
    // As f32, in which other kernels are given them, also where they are whole.
    ...numbers.map(({ name, value }) => [`number ${name}`, Math.fround(value)]),
    ...tables.flatMap(({ name, address, batchStride, headStride, length }) => [
      [`table ${name} address`, address],
      [`table ${name} batchStride`, batchStride],
      [`table ${name} headStride`, headStride],
      [`table ${name} last`, length - 1],
    ]),
  ]);
}

/** Bytes that push a value of the call; what is asked for is imported. */
export interface Values {
  readonly length: (name: 'queries' | 'keys' | 'heads' | 'first') => readonly number[];
  readonly number: (name: string, type: 'int' | 'float') => readonly number[];
  readonly table: (
    name: string,
  ) => Readonly<Record<'address' | 'batchStride' | 'headStride' | 'last', readonly number[]>>;
  /** In the order of their first use, which numbers them. */
  readonly imports: readonly { readonly name: string; readonly type: WasmType }[];
}

export function createValues(): Values {
  const imports: { name: string; type: WasmType }[] = [];
  const get = (name: string, type: WasmType = 'i32') => {
    const known = imports.findIndex((each) => each.name === name);
    return globalGet(known < 0 ? imports.push({ name, type }) - 1 : known);
  };
  return {
    length: (name) => get(name),
    number: (name, type) => get(`number ${name}`, type === 'int' ? 'i32' : 'f32'),
    table: (name) => ({
      address: get(`table ${name} address`),
      batchStride: get(`table ${name} batchStride`),
      headStride: get(`table ${name} headStride`),
      last: get(`table ${name} last`),
    }),
    imports,
  };
}

/** Parameters and locals of both exports; `rows` is a parameter of `visible` and idle in `modify`. */
export const LOCALS = {
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
export const SHARED_LOCALS = [
  { count: 6, type: 'i32' },
  { count: 1, type: 'f32' },
  { count: 1, type: 'i32' },
] as const;
