import { createFormulaAttention } from '../../../lib/gpu/formula-wasm';
import { packBlockList } from '../../../lib/gpu/packed-list';
import { BLOCK_KEYS, BLOCK_QUERIES } from '../../../lib/wasm/attention';
import type { Engine } from './engine';

/** Our WebAssembly SIMD path, one thread. */
export async function wasmEngine(): Promise<Engine> {
  return {
    prepare: async (inputs) => {
      const { batch, queryHeads } = inputs.shape;
      const list = packBlockList(inputs, BLOCK_QUERIES, BLOCK_KEYS, queryHeads);
      const attention = createFormulaAttention(inputs);
      return {
        detail: 'WebAssembly SIMD, 1 thread',
        run: async () => {
          for (let b = 0; b < batch; b++) {
            for (let h = 0; h < queryHeads; h++) {
              for (let i = 0; i < list.queryBlocks; i++) {
                const entries = list.entries.subarray(list.rows[2 * i], list.rows[2 * i + 2]);
                attention.runBlock(b, h, i, entries, list.rows[2 * i + 1] as number);
              }
            }
          }
        },
        read: async () => attention.output.slice(),
        destroy: () => undefined,
      };
    },
  };
}
