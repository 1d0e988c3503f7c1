import type { AttentionInputs } from '../../../lib/attention/types';

export const ENGINE_NAMES = [
  'headroom',
  'headroom-wasm',
  'ort-webgpu-gqa',
  'ort-webgpu-mha',
  'ort-wasm-gqa',
  'ort-wasm-mha',
  'jax-js',
  'tfjs',
] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Inputs on the engine's device, ready to run. */
export interface Prepared {
  /** What ran, in words. */
  readonly detail: string;
  /** Visited blocks over all blocks, where the engine works in blocks. */
  readonly blockDensity?: number;
  run(): Promise<void>;
  /** Output of the last run as [heads, queries, headSize]. */
  read(): Promise<Float32Array>;
  destroy(): void;
}

export interface Engine {
  prepare(inputs: AttentionInputs): Promise<Prepared>;
}

/** [heads, tokens, headSize] to [tokens, heads, headSize], or back with the sizes exchanged. */
export function swapHeads(
  values: Float32Array,
  first: number,
  second: number,
  headSize: number,
): Float32Array {
  const swapped = new Float32Array(values.length);
  for (let i = 0; i < first; i++) {
    for (let j = 0; j < second; j++) {
      const from = (i * second + j) * headSize;
      swapped.set(values.subarray(from, from + headSize), (j * first + i) * headSize);
    }
  }
  return swapped;
}
