import type { DecodeParams } from '../../spec/kinds/decode';

/** What a cell computes and stores: arithmetic of all its runs, and elements made or quantised. */
export function decodeWork(params: DecodeParams): {
  readonly flops: number;
  readonly storedElements: number;
} {
  const { shape, storages, timedRuns, engine } = params;
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = shape;
  // Warm-up and comparison are two more; the CPU reference runs once.
  const runs = (engine === 'cpu' ? 1 : timedRuns) + 2;
  const elements = 2 * batch * kvHeads * keys * headSize;
  const quantised = storages.reduce(
    (sum, { key, value }) => sum + Number(key.type !== 'f32') + Number(value.type !== 'f32'),
    0,
  );
  return {
    flops: storages.length * runs * 4 * batch * queryHeads * queries * keys * headSize,
    storedElements: elements * (1 + quantised),
  };
}
