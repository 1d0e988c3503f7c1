import { prepareWasmCall } from '../../../lib/gpu/formula-wasm';
import type { Engine } from './engine';

/** Our WebAssembly SIMD path, one thread. */
export async function wasmEngine(): Promise<Engine> {
  return {
    prepare: async (inputs) => {
      const { call, lane } = prepareWasmCall(inputs);
      return {
        detail: 'WebAssembly SIMD, 1 thread',
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
