import type { Architecture } from '../types';
import { booleanField, field, type JsonObject, numberField, show } from './json-fields';

/** Of Mistral's and Qwen's configuration classes where a file leaves the field out; null means none. */
const DEFAULT_WINDOW = 4096;

/**
 * Tokens that a query of some layer sees at most, or undefined where every layer sees all. Llama has
 * no window; Mistral's is `sliding_window` in every layer; Qwen's holds with `use_sliding_window`, in
 * the layers that `layer_types` names or, in older files, from layer `max_window_layers` on.
 *
 * @throws Error naming the field and the value
 */
export function slidingWindow(config: JsonObject, architecture: Architecture): number | undefined {
  const isActive =
    architecture === 'mistral' || (architecture !== 'llama' && isQwenWindowActive(config));
  const isOff = Object.hasOwn(config, 'sliding_window') && config.sliding_window === null;
  if (!isActive || isOff) return undefined;
  return numberField(config, 'sliding_window', { orElse: DEFAULT_WINDOW });
}

function isQwenWindowActive(config: JsonObject): boolean {
  const types = field(config, 'layer_types');
  if (types !== undefined && !Array.isArray(types)) {
    throw new Error(`invalid layer_types: ${show(types)} (expected a list)`);
  }
  const known: readonly unknown[] = ['full_attention', 'sliding_attention'];
  const unknown = types?.find((type) => !known.includes(type));
  if (unknown !== undefined) {
    throw new Error(
      `unsupported layer_types: ${show(unknown)} (expected full_attention or sliding_attention)`,
    );
  }
  if (!booleanField(config, 'use_sliding_window', false)) return false;
  if (types !== undefined) return types.includes('sliding_attention');
  const first = numberField(config, 'max_window_layers', { least: 0, orElse: 28 });
  return first < numberField(config, 'num_hidden_layers');
}
