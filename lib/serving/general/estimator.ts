import { emptyFeatures } from '../core/features';
import type { CostModel } from '../types';

/** Times that decisions are made by, from the cost model itself. */
export interface Estimator {
  /** One prompt alone in an iteration: `tokens` of it behind `context` tokens of KV. */
  prefillSeconds(context: number, tokens: number): number;
  /** What `tokens` behind `start` add to a prefill that is under way. */
  marginalSeconds(start: number, tokens: number): number;
  /** An iteration of decodes alone. */
  decodeSeconds(count: number, contextTokens: number): number;
}

export function createEstimator(costModel: CostModel): Estimator {
  const features = emptyFeatures();
  const whole = new Map<number, number>();

  function prefillSeconds(context: number, tokens: number): number {
    if (tokens <= 0) return 0;
    Object.assign(features, emptyFeatures());
    features.prefillCount = 1;
    features.prefillTokens = tokens;
    features.prefillTokensSquared = tokens * tokens;
    features.prefillContextTokens = context;
    features.prefillContextTokensRounded = Math.ceil(context / 64) * 64;
    features.prefillAttentionPairs = tokens * (context + tokens / 2);
    return costModel.iterationSeconds(features);
  }
  function fromStart(tokens: number): number {
    let seconds = whole.get(tokens);
    if (seconds === undefined) {
      seconds = prefillSeconds(0, tokens);
      whole.set(tokens, seconds);
    }
    return seconds;
  }
  return {
    prefillSeconds,
    marginalSeconds: (start, tokens) => Math.max(0, fromStart(start + tokens) - fromStart(start)),
    decodeSeconds(count, contextTokens) {
      if (count <= 0) return 0;
      Object.assign(features, emptyFeatures());
      features.decodeCount = count;
      features.decodeContextTokens = contextTokens;
      features.decodeContextMin = contextTokens / count;
      features.decodeContextMax = contextTokens / count;
      return costModel.iterationSeconds(features);
    },
  };
}
