import type { AttentionProgram } from '../../../lib/attention/program';
import { printWasm } from '../../../lib/formula/print-wasm';
import { instantiateFormula } from '../../../lib/formula/wasm-modules';
import { wasmValues } from '../../../lib/formula/wasm-values';
import type { AttentionShape } from '../../../lib/spec/kinds/attention';

export const TILE = { rows: 4, columns: 8, isShared: false };

const memory = new WebAssembly.Memory({ initial: 64, maximum: 65_536 });

export interface TilePlace {
  readonly batch: number;
  readonly head: number;
  readonly firstRow: number;
  readonly firstKey: number;
}

/** What the printed module of a program says of a tile: modified scores, and bits of what is seen. */
export function runTile(
  { mask, score, numbers, tables }: AttentionProgram,
  { queries, keys, queryHeads }: Pick<AttentionShape, 'queries' | 'keys' | 'queryHeads'>,
  { batch, head, firstRow, firstKey }: TilePlace,
  scores: Float32Array,
): { readonly scores: Float32Array; readonly visible: readonly boolean[] } {
  const floats = new Float32Array(memory.buffer);
  let end = 4096;
  const placed = tables.map((table) => {
    const address = end;
    floats.set(table.values, address / 4);
    end += table.values.byteLength;
    return { ...table, address };
  });
  const values = wasmValues({ queries, keys, heads: queryHeads, numbers, tables: placed });
  const exports = instantiateFormula({ bytes: printWasm(mask, score, TILE), values }, memory);
  const call = (name: string, ...args: number[]) =>
    (exports[name] as ((...args: number[]) => void) | undefined)?.(...args);
  floats.set(scores);
  call('modify', 0, batch, head, firstRow, firstKey);
  call('visible', 1024, batch, head, firstRow, firstKey, TILE.rows);
  const words = new Uint32Array(memory.buffer, 1024, TILE.rows);
  return {
    scores: floats.slice(0, TILE.rows * TILE.columns),
    visible: Array.from(
      { length: TILE.rows * TILE.columns },
      (_, i) =>
        (((words[Math.floor(i / TILE.columns)] as number) >>> (i % TILE.columns)) & 1) === 1,
    ),
  };
}
