import type { MapBase } from '../attention/types';
import { previewStride, weightBaseSteps, weightPreviewSteps } from '../attention/weights/reduce';
import type { RowProducts, WeightMatrix } from '../attention/weights/types';
import type { OnProgress } from '../run/worker-api';
import { createRowProducts } from '../wasm/matrix-products';
import { driveSteps } from './jobs';

/**
 * A matrix reduced on the CPU, in WebAssembly where there is some. Where that takes long a first
 * picture from some of its rows is reported before.
 */
export async function reduceMap(
  matrix: WeightMatrix,
  signal: AbortSignal,
  report: OnProgress,
): Promise<MapBase> {
  const products = productsFor(matrix);
  const everyQuery = previewStride(matrix);
  if (everyQuery !== undefined) {
    const steps = weightPreviewSteps(matrix, products);
    const base = await driveSteps(steps, signal, () => undefined);
    report({ fraction: 0, phase: 'map', preview: { base, everyQuery } });
  }
  return driveSteps(weightBaseSteps(matrix, products), signal, (fraction) =>
    report({ fraction, phase: 'map' }),
  );
}

/** Keys from which several rows at once are worth a memory of their own. */
const MANY_KEYS = 512;

/** Products in WebAssembly for one map, whose memory goes with it; undefined where there are none. */
function productsFor({ keys, prepareRows }: WeightMatrix): RowProducts | undefined {
  if (prepareRows === undefined || keys < MANY_KEYS) return undefined;
  try {
    return createRowProducts();
  } catch {
    // Rows one by one in f64 take longer and need nothing.
    return undefined;
  }
}
