import type { BatchFeatures } from '../types';
import type { Step } from './step';

/**
 * Sums over a step. A request of one token is a decode to the attention kernel, whatever it is to
 * the scheduler; a decode's context includes the token being fed.
 */
export function readStepFeatures(step: Step, features: BatchFeatures): void {
  let decodeCount = step.decodes;
  let decodeContext = decodeCount === 0 ? 0 : step.decodeContextTokens;
  let shortest = decodeCount === 0 ? Infinity : step.decodeContextMin;
  let longest = decodeCount === 0 ? 0 : step.decodeContextMax;
  let prefillCount = 0;
  let prefillTokens = 0;
  let squared = 0;
  let context = 0;
  let rounded = 0;
  let pairs = 0;
  for (let i = 0; i < step.count; i++) {
    const tokens = step.tokens[i] as number;
    const before = step.contexts[i] as number;
    if (tokens === 1) {
      decodeCount++;
      decodeContext += before + 1;
      if (before + 1 < shortest) shortest = before + 1;
      if (before + 1 > longest) longest = before + 1;
    } else {
      prefillCount++;
      prefillTokens += tokens;
      squared += tokens * tokens;
      context += before;
      rounded += Math.ceil(before / 64) * 64;
      pairs += tokens * (before + tokens / 2);
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
