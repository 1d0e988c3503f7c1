import { layerWeightBytes } from '../presets/kv-plan';
import type { ModelTransform } from '../transforms/presets';
import type { ModelSpec } from '../types';

type Streamed = Pick<
  ModelTransform,
  'weightBytes' | 'streamedWeights' | 'streamedReads' | 'streamGigabytesPerSecond'
>;

/**
 * Seconds in which an accelerator reads the weights of an iteration that its memory does not hold:
 * layers' bytes x W x the share below x the share of it that is read, over the link.
 */
export function streamSeconds(
  model: Omit<ModelSpec, 'id'>,
  { weightBytes, streamedWeights, streamedReads, streamGigabytesPerSecond }: Streamed,
  tensorParallel: number,
): number {
  const bytes = layerWeightBytes(model) * weightBytes * streamedWeights * streamedReads;
  return bytes / tensorParallel / (streamGigabytesPerSecond * 1e9);
}

/**
 * An iteration beside its reads: what the share `overlap` of it covers costs nothing. With 1 the longer
 * of the two counts, as when the next layer's weights are read while this one computes; with 0 both do.
 */
export const withStream = (seconds: number, streaming: number, overlap: number): number =>
  seconds + Math.max(0, streaming - overlap * seconds);
