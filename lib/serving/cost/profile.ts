import type {
  HardwareProfile,
  IterationProfile,
  OperatorCost,
  OperatorsProfile,
} from '../../spec/kinds/serve-profile';
import type { BatchFeatures, CostModel } from '../types';
import { paddedTokens } from './cuda-graphs';

/** Microseconds of an operator over `tokens`: the larger of its two lines. */
export function operatorMicroseconds(cost: OperatorCost, tokens: number): number {
  return Math.max(
    cost.baseMicroseconds + cost.perTokenMicroseconds * tokens,
    cost.lateBaseMicroseconds + cost.latePerTokenMicroseconds * tokens,
  );
}

/**
 * Microseconds of one layer's attention: prefill alone, decodes alone, or the law of both together,
 * which is not the sum of the two.
 */
export function attentionMicroseconds(profile: OperatorsProfile, f: BatchFeatures): number {
  const { prefillAttention: prefill, decodeAttention: decode, mixedAttention: mixed } = profile;
  const n = f.decodeCount;
  if (n === 0) {
    if (f.prefillTokens === 0) return 0;
    return (
      prefill.baseMicroseconds +
      prefill.perTokenMicroseconds * f.prefillTokens +
      prefill.perContextTokenMicroseconds * f.prefillContextTokens +
      prefill.perPairMicroseconds * f.prefillAttentionPairs
    );
  }
  const uneven = Math.max(0, f.decodeContextMax * n - f.decodeContextTokens);
  const context = f.decodeContextTokens + profile.skewWeight * uneven;
  if (f.prefillTokens === 0) {
    return (
      decode.baseMicroseconds +
      decode.perSequenceMicroseconds * n +
      decode.perContextTokenMicroseconds * context +
      (decode.perMeanContextTokenMicroseconds * context) / n
    );
  }
  return (
    mixed.baseMicroseconds +
    mixed.perTokenMicroseconds * f.prefillTokens +
    mixed.perPrefillContextTokenMicroseconds * f.prefillContextTokens +
    mixed.perPairMicroseconds * f.prefillAttentionPairs +
    mixed.perSequenceMicroseconds * n +
    mixed.perDecodeContextTokenMicroseconds * context +
    (mixed.perMeanContextTokenMicroseconds * context) / n
  );
}

function operatorsMicroseconds(
  profile: OperatorsProfile,
  largestGraphTokens: number,
): (f: BatchFeatures) => number {
  const { layers, once, head, allReduce, tensorParallel } = profile;
  const perLayer = [
    profile.qkv,
    profile.attentionOutput,
    profile.gateUp,
    profile.down,
    profile.elementwise,
  ];
  const reduces = tensorParallel > 1 ? 2 * layers + 1 : 0;
  return (f) => {
    const tokens = paddedTokens(f.decodeCount + f.prefillTokens, largestGraphTokens);
    let layer = attentionMicroseconds(profile, f);
    for (const cost of perLayer) layer += operatorMicroseconds(cost, tokens);
    return (
      layers * layer +
      once.baseMicroseconds +
      once.perTokenMicroseconds * tokens +
      head.baseMicroseconds +
      head.perSequenceMicroseconds * (f.decodeCount + f.prefillCount) +
      reduces * (allReduce.baseMicroseconds + allReduce.perTokenMicroseconds * tokens)
    );
  };
}

function iterationMicroseconds(profile: IterationProfile): (f: BatchFeatures) => number {
  return (f) =>
    profile.baseMicroseconds +
    profile.perPrefillTokenMicroseconds * f.prefillTokens +
    profile.perPairMicroseconds * f.prefillAttentionPairs +
    profile.perDecodeMicroseconds * f.decodeCount +
    profile.perDecodeContextTokenMicroseconds * f.decodeContextTokens;
}

/** Microseconds by which an iteration of decodes alone outlasts the one before it. */
function decodeSlope(profile: HardwareProfile, decodes: number): number {
  if (profile.law === 'iteration') return profile.perDecodeContextTokenMicroseconds * decodes;
  // Mean and longest context both grow by one, so their distance, and with it the skew, stays.
  const { perContextTokenMicroseconds, perMeanContextTokenMicroseconds } = profile.decodeAttention;
  return profile.layers * (perContextTokenMicroseconds * decodes + perMeanContextTokenMicroseconds);
}

/**
 * Iteration time from a fitted profile.
 *
 * @param largestGraphTokens largest batch that runs as a recorded CUDA graph, which pads it; 0 for
 * none. A whole-iteration law was fitted to padded steps already and is not padded again.
 */
export function profileCostModel(profile: HardwareProfile, largestGraphTokens: number): CostModel {
  const microseconds =
    profile.law === 'operators'
      ? operatorsMicroseconds(profile, largestGraphTokens)
      : iterationMicroseconds(profile);
  const { measuredTokens, measuredContextTokens, label, rows, medianErrorPct } = profile;
  let mostTokens = 0;
  let mostContext = 0;
  return {
    kind: 'profile',
    label:
      rows === 0
        ? `profile${label === '' ? '' : `, ${label}`}, as given`
        : `fitted profile, ${label}, ${rows} rows, median error ${medianErrorPct} % held out`,
    source: profile.source === '' ? 'coefficients as given' : profile.source,
    readsDecodeRange: profile.law === 'operators' && profile.skewWeight > 0,
    iterationSeconds(f) {
      mostTokens = Math.max(mostTokens, f.decodeCount + f.prefillTokens);
      mostContext = Math.max(mostContext, f.decodeContextMax);
      return microseconds(f) * 1e-6;
    },
    extrapolation() {
      const beyond = [
        ...(measuredTokens > 0 && mostTokens > measuredTokens
          ? [`batches of ${mostTokens} tokens (measured to ${measuredTokens})`]
          : []),
        ...(measuredContextTokens > 0 && mostContext > measuredContextTokens
          ? [`contexts of ${mostContext} tokens (measured to ${measuredContextTokens})`]
          : []),
      ];
      return beyond.length === 0
        ? undefined
        : `extrapolated beyond what was measured: ${beyond.join(', ')}`;
    },
    decodeRun: {
      iterations: () => Infinity,
      slopeSeconds: ({ decodeCount }) => decodeSlope(profile, decodeCount) * 1e-6,
    },
  };
}
