import type { BatchFeatures } from '../types';
import type { Replica } from './replica';
import type { Requests } from './requests';

export function emptyFeatures(): BatchFeatures {
  return {
    decodeCount: 0,
    decodeContextTokens: 0,
    decodeContextMin: 0,
    decodeContextMax: 0,
    prefillCount: 0,
    prefillTokens: 0,
    prefillTokensSquared: 0,
    prefillContextTokens: 0,
    prefillContextTokensRounded: 0,
    prefillAttentionPairs: 0,
  };
}

/** To be laid over features: the decodes of a batch alone. */
export const NO_PROMPTS = {
  prefillCount: 0,
  prefillTokens: 0,
  prefillTokensSquared: 0,
  prefillContextTokens: 0,
  prefillContextTokensRounded: 0,
  prefillAttentionPairs: 0,
  prefillLayerShare: 1,
  prefillReachesHead: true,
} as const;

/** Sums over the batch that `replica` has formed, written into `features`. */
export function readFeatures(replica: Replica, requests: Requests, features: BatchFeatures): void {
  let decodeCount = 0;
  let decodeContext = 0;
  let shortest = Infinity;
  let longest = 0;
  let prefillCount = 0;
  let prefillTokens = 0;
  let squared = 0;
  let context = 0;
  let rounded = 0;
  let pairs = 0;
  const { processed, isPrefilled } = requests;
  for (let i = 0; i < replica.batchCount; i++) {
    const id = replica.batchIds[i] as number;
    const done = processed[id] as number;
    if (isPrefilled[id] === 1) {
      decodeCount++;
      decodeContext += done;
      if (done < shortest) shortest = done;
      if (done > longest) longest = done;
    } else {
      const tokens = replica.batchTokens[i] as number;
      prefillCount++;
      prefillTokens += tokens;
      squared += tokens * tokens;
      context += done;
      rounded += Math.ceil(done / 64) * 64;
      pairs += tokens * (done + tokens / 2);
    }
  }
  features.decodeCount = decodeCount;
  features.decodeContextTokens = decodeContext;
  features.decodeContextMin = decodeCount === 0 ? 0 : shortest;
  features.decodeContextMax = longest;
  features.prefillCount = prefillCount;
  features.prefillTokens = prefillTokens;
  features.prefillTokensSquared = squared;
  features.prefillContextTokens = context;
  features.prefillContextTokensRounded = rounded;
  features.prefillAttentionPairs = pairs;
}
