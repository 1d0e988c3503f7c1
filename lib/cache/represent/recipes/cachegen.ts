import { binsByLayer, deltaStream } from '../transfer/delta-stream';
import type { PairCodecs } from './types';

/** CacheGen (Liu et al. 2023) for one layer: coarser bins in deeper layers. */
export function cachegen(layer: number, layers: number, anchorRows: number): PairCodecs {
  const bins = binsByLayer(layer, layers);
  return {
    keys: deltaStream({ bins: bins.key, anchorRows }),
    values: deltaStream({ bins: bins.value, anchorRows }),
  };
}
