import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgpu';
import type { Engine } from './engine';

/** tfjs has no attention operator: two products, a softmax and an added mask, as its users write it. */
export async function tfjsEngine(): Promise<Engine> {
  await tf.setBackend('webgpu');
  await tf.ready();
  return {
    prepare: async ({ shape, query, key, value }) => {
      const { queryHeads, kvHeads, queries, keys, headSize } = shape;
      const group = queryHeads / kvHeads;
      const repeated = (values: Float32Array) => {
        const out = new Float32Array(values.length * group);
        const head = keys * headSize;
        for (let h = 0; h < queryHeads; h++) {
          const from = Math.floor(h / group) * head;
          out.set(values.subarray(from, from + head), h * head);
        }
        return tf.tensor3d(out, [queryHeads, keys, headSize]);
      };
      const q = tf.tensor3d(query, [queryHeads, queries, headSize]);
      const k = repeated(key);
      const v = repeated(value);
      const hidden = new Float32Array(queries * keys);
      for (let i = 0; i < queries; i++)
        hidden.fill(-1e9, i * keys + keys - queries + i + 1, (i + 1) * keys);
      const mask = queries > 1 ? tf.tensor2d(hidden, [queries, keys]) : undefined;
      const scale = tf.scalar(1 / Math.sqrt(headSize));
      let output: tf.Tensor | undefined;
      return {
        detail: 'matMul, softmax, matMul on tfjs webgpu',
        run: async () => {
          output?.dispose();
          output = tf.tidy(() => {
            const scores = tf.mul(tf.matMul(q, k, false, true), scale);
            return tf.matMul(tf.softmax(mask === undefined ? scores : tf.add(scores, mask)), v);
          });
          // Commands are sent only when something is read; one number is enough to wait for.
          const last = tf.tidy(() =>
            tf.slice(tf.reshape((output as tf.Tensor).clone(), [-1]), 0, 1),
          );
          await last.data();
          last.dispose();
        },
        read: async () => Float32Array.from(await output!.data()),
        destroy: () => {
          for (const each of [q, k, v, mask, scale, output]) each?.dispose();
        },
      };
    },
  };
}
