import { emptyFeatures, NO_PROMPTS } from '../core/features';
import type { BatchFeatures, CostModel } from '../types';

const without = emptyFeatures();
const whole = emptyFeatures();

/**
 * Seconds of an iteration whose prompts go through `prefillLayerShare` of the layers: exact in the
 * roofline; of any other model, that share of what the prompts add to the decodes.
 */
export function layerShareSeconds(costModel: CostModel, f: BatchFeatures): number {
  const share = f.prefillLayerShare ?? 1;
  if (share === 1 || f.prefillCount === 0 || costModel.pricesLayers === true)
    return costModel.iterationSeconds(f);
  Object.assign(whole, f, { prefillLayerShare: 1, prefillReachesHead: true });
  const mixed = costModel.iterationSeconds(whole);
  if (f.decodeCount === 0) return share * mixed;
  const decodes = costModel.iterationSeconds(Object.assign(without, f, NO_PROMPTS));
  return decodes + share * Math.max(0, mixed - decodes);
}
