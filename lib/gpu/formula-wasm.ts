import type { AttentionProgram } from '../attention/program';
import type { AttentionInputs } from '../attention/types';
import { printWasm, WASM_MATH } from '../formula/print-wasm';
import {
  BLOCK_KEYS,
  BLOCK_QUERIES,
  createWasmAttention,
  type WasmAttention,
} from '../wasm/attention';
import { MAX_PAGES } from '../wasm/layout';
import type { ModifyScores } from '../wasm/module';

/** Masked scores of a tile, as the kernel takes them. */
const MASKED = -3e38;

/** The WebAssembly kernel with the program's formulas compiled beside it, over one memory, and the call loaded. */
export function createFormulaAttention(inputs: AttentionInputs): WasmAttention {
  const { shape, program } = inputs;
  const tableBytes = program.tables.reduce((sum, { values }) => sum + values.byteLength, 0);
  const memory = new WebAssembly.Memory({
    initial: Math.max(1, Math.ceil(tableBytes / 65_536)),
    maximum: MAX_PAGES,
  });
  const addresses = writeTables(program, memory);
  const modify = compileModify(program, inputs, addresses, memory);
  const attention = createWasmAttention({
    memory,
    reservedBytes: tableBytes,
    ...(modify === undefined ? {} : { modify, modifiesFullBlocks: program.score !== undefined }),
  });
  attention.load({ ...shape, query: inputs.query, key: inputs.key, value: inputs.value });
  return attention;
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

function compileModify(
  program: AttentionProgram,
  { shape }: AttentionInputs,
  addresses: ReadonlyMap<string, number>,
  memory: WebAssembly.Memory,
): ModifyScores | undefined {
  const { mask, score, numbers, tables } = program;
  if (mask === undefined && score === undefined) return undefined;
  const bytes = printWasm(
    mask,
    score,
    {
      queries: shape.queries,
      keys: shape.keys,
      heads: shape.queryHeads,
      number: (name) => numbers.find((number) => number.name === name)?.value ?? Number.NaN,
      table: (name) => {
        const table = tables.find((each) => each.name === name);
        const address = addresses.get(name);
        if (table === undefined || address === undefined) throw new Error(`unknown table: ${name}`);
        return { ...table, address };
      },
    },
    { rows: BLOCK_QUERIES, columns: BLOCK_KEYS, masked: MASKED, isShared: false },
  );
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory },
    math: WASM_MATH,
  });
  return instance.exports.modify as ModifyScores;
}
