import { emptyFeatures } from '../core/features';
import type { BatchFeatures, CostModel } from '../types';

export interface Speculation {
  readonly draftTokens: number;
  readonly acceptance: number;
  /** By position; in place of `acceptance` where not empty. A position beyond repeats the last. */
  readonly acceptances: readonly number[];
  readonly draftCost: number;
}

/**
 * Tokens that one step gives on average: the accepted prefix of the draft and the target's own,
 * 1 + a1 + a1 a2 + ...; (1 - a^(k+1)) / (1 - a) where all chances are a (Leviathan et al., 2023).
 */
export function expectedTokens({ draftTokens, acceptance, acceptances }: Speculation): number {
  let sum = 1;
  let product = 1;
  for (let i = 0; i < draftTokens; i++) {
    product *= acceptances[i] ?? acceptances.at(-1) ?? acceptance;
    sum += product;
  }
  return sum;
}

/** The same batch with `draftTokens` + 1 queries for each decode, into `into`. */
export function verifyFeatures(
  features: BatchFeatures,
  draftTokens: number,
  into: BatchFeatures,
): BatchFeatures {
  Object.assign(into, features);
  into.queriesPerDecode = draftTokens + 1;
  return into;
}

/**
 * Iteration time where every decode of a batch advances by one token on average: what decodes add to
 * the iteration, verified k + 1 queries at a time and with k drafting steps, over the tokens that such
 * a step gives. Prompts in the batch cost what they cost. Single gaps between tokens are thereby
 * smoothed: TBT percentiles are of the mean step, not of bursts.
 *
 * @param verify the same model, for batches with `queriesPerDecode`
 */
export function speculativeCostModel(
  base: CostModel,
  verify: Pick<CostModel, 'iterationSeconds'>,
  speculation: Speculation,
): CostModel {
  const tokens = expectedTokens(speculation);
  const { draftTokens, draftCost } = speculation;
  const checked = emptyFeatures();
  const prompts = emptyFeatures();
  const decodes = emptyFeatures();
  return {
    kind: base.kind,
    label: `${base.label}, ${draftTokens} tokens drafted for ${tokens.toFixed(2)} a step`,
    source: base.source,
    ...(base.readsDecodeRange === true ? { readsDecodeRange: true } : {}),
    ...(base.extrapolation === undefined ? {} : { extrapolation: base.extrapolation }),
    iterationSeconds(f) {
      if (f.decodeCount === 0) return base.iterationSeconds(f);
      const whole = verify.iterationSeconds(verifyFeatures(f, draftTokens, checked));
      Object.assign(prompts, f, NO_DECODES);
      const without = f.prefillCount === 0 ? 0 : base.iterationSeconds(prompts);
      Object.assign(decodes, f, NO_PROMPTS);
      const drafting = draftTokens * draftCost * base.iterationSeconds(decodes);
      return without + (drafting + Math.max(0, whole - without)) / tokens;
    },
  };
}

const NO_DECODES = {
  decodeCount: 0,
  decodeContextTokens: 0,
  decodeContextMin: 0,
  decodeContextMax: 0,
} as const;

const NO_PROMPTS = {
  prefillCount: 0,
  prefillTokens: 0,
  prefillTokensSquared: 0,
  prefillContextTokens: 0,
  prefillContextTokensRounded: 0,
  prefillAttentionPairs: 0,
} as const;
