import type { MapBase, MapRect, MapWindow } from '../attention/types';
import { type WeightCall, weightShape, weightSteps } from '../attention/weights/call';
import { weightWindow } from '../attention/weights/reduce';
import type { WeightMatrices, WeightMatrix } from '../attention/weights/types';
import type { OnProgress } from '../run/worker-api';
import { driveSteps, yieldToMessages } from './jobs';
import { reduceMap } from './reduce-map';

/** Cells whose tensors are kept: a difference reads two. */
const KEPT = 2;

/** What a call's matrices depend on; engine and timed runs do not change them. */
function identityOf(call: WeightCall): string {
  const { engine: _, timedRuns: __, ...rest } = call.params;
  const more = call.kind === 'compose' ? call.gates : call.kind === 'decode' ? call.storage : '';
  return JSON.stringify([call.kind, rest, more]);
}

/**
 * Maps of cells other than attention, on the CPU: their tensors are made again and kept for the next
 * call. Reduced maps are computed in WebAssembly where there is some, windows in f64.
 */
export interface WeightMaps {
  base(
    call: WeightCall,
    batch: number,
    head: number,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<MapBase>;
  window(
    call: WeightCall,
    batch: number,
    head: number,
    rect: MapRect,
    signal: AbortSignal,
  ): Promise<MapWindow>;
}

export function createWeightMaps(): WeightMaps {
  const kept = new Map<string, WeightMatrices>();

  async function matrixOf(
    call: WeightCall,
    batch: number,
    head: number,
    signal: AbortSignal,
    report: OnProgress,
  ): Promise<WeightMatrix> {
    const { batches, heads } = weightShape(call);
    checkIndex('batch', batch, batches);
    checkIndex('head', head, heads);
    const key = identityOf(call);
    let matrices = kept.get(key);
    if (matrices === undefined) {
      report({ fraction: undefined, phase: 'inputs' });
      await yieldToMessages();
      matrices = await driveSteps(weightSteps(call), signal, () => undefined);
    }
    kept.delete(key);
    kept.set(key, matrices);
    for (const oldest of [...kept.keys()].slice(0, -KEPT)) kept.delete(oldest);
    return matrices(batch, head);
  }

  return {
    async base(call, batch, head, signal, report) {
      return reduceMap(await matrixOf(call, batch, head, signal, report), signal, report);
    },
    async window(call, batch, head, rect, signal) {
      const matrix = await matrixOf(call, batch, head, signal, () => undefined);
      return weightWindow(matrix, rect);
    },
  };
}

/** @throws RangeError where the index is none of `count` */
export function checkIndex(name: 'batch' | 'head', index: number, count: number): void {
  if (Number.isInteger(index) && index >= 0 && index < count) return;
  throw new RangeError(`invalid ${name}: ${index} (expected 0..${count - 1})`);
}
