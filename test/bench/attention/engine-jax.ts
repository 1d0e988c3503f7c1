import { defaultDevice, init, jit, nn, numpy as np } from '@jax-js/jax';
import { type Engine, swapHeads } from './engine';

/** jax-js consumes its arguments; `.ref` keeps them for the next run. */
export async function jaxEngine(): Promise<Engine> {
  await init('webgpu');
  defaultDevice('webgpu');
  return {
    prepare: async ({ shape, query, key, value }) => {
      const { queryHeads, kvHeads, queries, keys, headSize } = shape;
      const array = (values: Float32Array, heads: number, tokens: number) =>
        np
          .array(swapHeads(values, heads, tokens, headSize) as Float32Array<ArrayBuffer>)
          .reshape([1, tokens, heads, headSize]);
      const q = array(query, queryHeads, queries);
      const k = array(key, kvHeads, keys);
      const v = array(value, kvHeads, keys);
      const isCausal = queries > 1;
      const attend = jit((a: np.Array, b: np.Array, c: np.Array) =>
        nn.dotProductAttention(a, b, c, { isCausal }),
      );
      let output: np.Array | undefined;
      return {
        detail: 'jit(nn.dotProductAttention), webgpu',
        run: async () => {
          output?.dispose();
          output = attend(q.ref, k.ref, v.ref);
          await output.blockUntilReady();
        },
        read: async () => {
          const values = Float32Array.from(await output!.ref.data());
          return swapHeads(values, queries, queryHeads, headSize);
        },
        destroy: () => {
          for (const each of [q, k, v, output]) each?.dispose();
        },
      };
    },
  };
}
