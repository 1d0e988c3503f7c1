import { prepareWasmCall } from '../../../lib/gpu/formula-wasm';
import { packBlockList } from '../../../lib/gpu/packed-list';
import { BLOCK_KEYS, BLOCK_QUERIES } from '../../../lib/wasm/attention';
import { simdLabel } from '../../../lib/wasm/relaxed-simd';
import type { Engine } from './engine';

/** Our WebAssembly SIMD path, one thread. */
export async function wasmEngine(): Promise<Engine> {
  return {
    prepare: async (inputs) => {
      const { call, lane } = prepareWasmCall(inputs);
      const { full, partial, total } = packBlockList(
        inputs,
        BLOCK_QUERIES,
        BLOCK_KEYS,
        inputs.shape.queryHeads,
      );
      return {
        detail: `${simdLabel()}, 1 thread`,
        blockDensity: (full + partial) / total,
        run: async () => {
          call.next[0] = 0;
          lane.runSome(Number.POSITIVE_INFINITY);
        },
        read: async () => lane.attention.output.slice(),
        destroy: () => undefined,
      };
    },
  };
}
