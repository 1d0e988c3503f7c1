import type { AttentionProgram } from '../attention/program';
import type { AttentionInputs } from '../attention/types';
import { printWasm } from '../formula/print-wasm';
import type { PrintedFormula } from '../formula/wasm-modules';
import { wasmValues } from '../formula/wasm-values';
import { BLOCK_KEYS, BLOCK_QUERIES } from '../wasm/attention';
import { createLane, type Lane, type LaneCall } from '../wasm/lane';
import { layOut, MAX_PAGES, PAGE_BYTES } from '../wasm/layout';
import { countPartial, MASK_BYTES, MAX_MASKS_BYTES } from '../wasm/list-masks';
import { packBlockList } from './packed-list';

export interface WasmCall {
  readonly call: LaneCall;
  /** This thread's lane; it has loaded the inputs. */
  readonly lane: Lane;
}

/**
 * A call ready to run in WebAssembly: block lists, tables and formulas over one memory, inputs
 * loaded.
 *
 * @param lanes threads that will compute it; the memory is shared where there are several
 */
export function prepareWasmCall(inputs: AttentionInputs, lanes = 1): WasmCall {
  const { shape, program } = inputs;
  const isShared = lanes > 1;
  const { rows, entries, stride, headStride, queryBlocks } = packBlockList(
    inputs,
    BLOCK_QUERIES,
    BLOCK_KEYS,
    shape.queryHeads,
  );
  const { starts, count } = countPartial({ rows, entries });
  const isMasked = count > 0 && count * MASK_BYTES <= MAX_MASKS_BYTES;
  const tableBytes = program.tables.reduce((sum, { values }) => sum + values.byteLength, 0);
  const listAddress = tableBytes + (isMasked ? count * MASK_BYTES : 0);
  const reservedBytes = listAddress + entries.byteLength;
  const memory = makeMemory(inputs, reservedBytes, lanes);
  const addresses = writeTables(program, memory);
  new Uint32Array(memory.buffer, listAddress, entries.length).set(entries);
  const counter = isShared ? new SharedArrayBuffer(4) : new ArrayBuffer(4);
  const call: LaneCall = {
    memory,
    shape,
    reservedBytes,
    formula: printFormulas(inputs, addresses, isShared),
    lists: { rows, entries, address: listAddress, stride, headStride, queryBlocks },
    masks: isMasked ? { address: tableBytes, starts } : undefined,
    lanes,
    next: new Int32Array(counter),
  };
  const lane = createLane(call, 0);
  lane.attention.load({ ...shape, query: inputs.query, key: inputs.key, value: inputs.value });
  return { call, lane };
}

/** A shared memory must name its end, and the engine reserves all of it: so no more than the call needs. */
function makeMemory(inputs: AttentionInputs, reservedBytes: number, lanes: number) {
  const initial = Math.max(1, Math.ceil(reservedBytes / PAGE_BYTES));
  if (lanes === 1) return new WebAssembly.Memory({ initial, maximum: MAX_PAGES });
  const { end } = layOut(inputs.shape, reservedBytes, lanes);
  const maximum = Math.min(MAX_PAGES, Math.ceil(end / PAGE_BYTES) + 1);
  return new WebAssembly.Memory({ initial, maximum, shared: true });
}

function writeTables(program: AttentionProgram, memory: WebAssembly.Memory): Map<string, number> {
  const addresses = new Map<string, number>();
  let address = 0;
  for (const { name, values } of program.tables) {
    new Float32Array(memory.buffer, address, values.length).set(values);
    addresses.set(name, address);
    address += values.byteLength;
  }
  return addresses;
}

function printFormulas(
  { shape, program }: AttentionInputs,
  addresses: ReadonlyMap<string, number>,
  isShared: boolean,
): PrintedFormula | undefined {
  const { mask, score, numbers, tables } = program;
  if (mask === undefined && score === undefined) return undefined;
  return {
    bytes: printWasm(mask, score, { rows: BLOCK_QUERIES, columns: BLOCK_KEYS, isShared }),
    values: wasmValues({
      queries: shape.queries,
      keys: shape.keys,
      heads: shape.queryHeads,
      numbers,
      tables: tables.map((table) => ({ ...table, address: addresses.get(table.name) as number })),
    }),
  };
}
