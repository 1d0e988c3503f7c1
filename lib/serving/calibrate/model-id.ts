import { MODEL_IDS, type ModelId } from '../../spec/presets';
import type { HubModel } from '../presets/hub-models';
import { MODELS } from '../presets/models';

/** The preset of this model, or `none` where it is not one that a cell can name. */
export function modelIdOf(model: HubModel): ModelId | 'none' {
  return MODEL_IDS.find((id) => MODELS[id] === model || MODELS[id].label === model.label) ?? 'none';
}
