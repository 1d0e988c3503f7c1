import { print, printFloat } from './print-wasm-expression';
import type { FormulaNode } from './tree';
import {
  f32,
  func,
  i32,
  i32Const,
  i32Store,
  local,
  moduleBytes,
  type WasmFunction,
} from './wasm-bytes';
import { HELPER_FUNCTIONS, MATH_NAMES } from './wasm-helpers';
import { createValues, LOCALS, SHARED_LOCALS, type Values } from './wasm-values';

export interface WasmTile {
  readonly rows: number;
  /** At most 32, the bits of a word. */
  readonly columns: number;
  /** Whether the memory that the module imports is shared. */
  readonly isShared: boolean;
}

/**
 * A WebAssembly module over an imported `env.memory`, printed from the trees alone: lengths, named
 * numbers and where tables lie are globals that it imports from `value` (see `wasmValues`), so a moved
 * slider or another length compiles nothing. It exports, where there is a formula,
 *
 * - `modify(pointer, batch, head, firstRow, firstKey)`: puts the tile of scores at `pointer`, f32
 *   [tile.rows][tile.columns], through the score formula;
 * - `visible(pointer, batch, head, firstRow, firstKey, rows)`: writes u32 [rows] at `pointer`, bit j
 *   of word i set where row i sees column j.
 */
export function printWasm(
  mask: FormulaNode | undefined,
  score: FormulaNode | undefined,
  tile: WasmTile,
): Uint8Array<ArrayBuffer> {
  const values = createValues();
  const exported = [
    ...(score === undefined ? [] : [modifyFunction(score, values, tile)]),
    ...(mask === undefined ? [] : [visibleFunction(mask, values, tile)]),
  ];
  return moduleBytes({
    math: MATH_NAMES,
    values: values.imports,
    isShared: tile.isShared,
    functions: [...HELPER_FUNCTIONS, ...exported],
    exported: exported.map(({ name }) => name),
  });
}

const i32s = (count: number) => Array.from({ length: count }, () => 'i32' as const);

function modifyFunction(score: FormulaNode, values: Values, tile: WasmTile): WasmFunction {
  return func(
    'modify',
    { params: i32s(5), results: [] },
    [{ count: 1, type: 'i32' }, ...SHARED_LOCALS],
    [
      ...forEach(LOCALS.row, i32Const(tile.rows), [
        ...setQuery(values),
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
          ...printFloat(score, values),
          ...f32.store,
        ]),
      ]),
    ],
  );
}

function visibleFunction(mask: FormulaNode, values: Values, tile: WasmTile): WasmFunction {
  return func('visible', { params: i32s(6), results: [] }, SHARED_LOCALS, [
    ...forEach(LOCALS.row, local.get(LOCALS.rows), [
      ...setQuery(values),
      ...i32Const(0),
      ...local.set(LOCALS.word),
      ...forEach(LOCALS.column, i32Const(tile.columns), [
        ...setKey,
        ...print(mask, values),
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
const setQuery = (values: Values) => [
  ...local.get(LOCALS.firstRow),
  ...local.get(LOCALS.row),
  ...i32.add,
  ...values.length('first'),
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
