import type { BatchFeatures, CostModel, HardwareSpec, ModelSpec } from '../types';

export interface RooflineOptions {
  readonly tensorParallel: number;
  readonly computeEfficiency: number;
  readonly bandwidthEfficiency: number;
  readonly overheadMicroseconds: number;
}

/**
 * Roofline per operator (Williams et al., 2009): each operator takes the larger of its arithmetic
 * at peak x computeEfficiency and its bytes at bandwidth x bandwidthEfficiency, operators run one
 * after another, and attention of prefills and of decodes is two operators. Tensor parallelism
 * divides heads and matrices and adds two ring all-reduces per layer. Nothing is fitted; real
 * mixed batches cost more than this sum, which flatters chunked prefill.
 */
export function rooflineCostModel(
  model: ModelSpec,
  hardware: HardwareSpec,
  options: RooflineOptions,
): CostModel {
  const { tensorParallel: tp } = options;
  const flopsPerSecond = hardware.peakFlopsPerSecond * options.computeEfficiency;
  const bytesPerSecond = hardware.bandwidthBytesPerSecond * options.bandwidthEfficiency;
  const { hiddenSize: hidden, headSize, bytesPerWeight: w } = model;
  const queryWidth = (model.queryHeads * headSize) / tp;
  const kvWidth = Math.max(model.kvHeads / tp, 1) * headSize;
  const ffnWidth = model.ffnSize / tp;

  const operator = (flops: number, bytes: number): number =>
    Math.max(flops / flopsPerSecond, bytes / bytesPerSecond);
  const gemm = (tokens: number, inputs: number, outputs: number): number =>
    operator(2 * tokens * inputs * outputs, (inputs * outputs + tokens * (inputs + outputs)) * w);

  function layerSeconds(f: BatchFeatures, tokens: number): number {
    let seconds = gemm(tokens, hidden, queryWidth + 2 * kvWidth) + gemm(tokens, queryWidth, hidden);
    seconds +=
      gemm(tokens, hidden, ffnWidth * (model.ffnMatrices - 1)) + gemm(tokens, ffnWidth, hidden);
    // Two norms and two residual additions read and write the hidden state; rotary and activation their own.
    seconds += operator(0, tokens * w * (8 * hidden + 2 * (queryWidth + kvWidth) + 3 * ffnWidth));
    if (f.prefillCount > 0) {
      const flops = 4 * f.prefillAttentionPairs * queryWidth;
      const kvBytes =
        2 * (f.prefillContextTokens + f.prefillTokens) * kvWidth * model.bytesPerKvElement;
      seconds += operator(flops, kvBytes + 2 * f.prefillTokens * queryWidth * w);
    }
    if (f.decodeCount > 0) {
      const flops = 4 * f.decodeContextTokens * queryWidth;
      const kvBytes = 2 * f.decodeContextTokens * kvWidth * model.bytesPerKvElement;
      seconds += operator(flops, kvBytes + 2 * f.decodeCount * queryWidth * w);
    }
    if (tp > 1) {
      const ringBytes = ((2 * (tp - 1)) / tp) * tokens * hidden * w;
      seconds += (2 * ringBytes) / hardware.interconnectBytesPerSecond;
    }
    return seconds;
  }

  /** Context above which decode attention is bound by arithmetic; decodes alone, by their count. */
  const flopsPerContext = (4 * queryWidth) / flopsPerSecond;
  const bytesPerContext = (2 * kvWidth * model.bytesPerKvElement) / bytesPerSecond;
  const bytesPerDecode = (2 * queryWidth * w) / bytesPerSecond;
  const isArithmeticBound = (count: number, context: number): boolean =>
    context * flopsPerContext > context * bytesPerContext + count * bytesPerDecode;

  return {
    kind: 'roofline',
    label: `roofline, ${model.label} on ${tp} x ${hardware.label} at ${options.computeEfficiency} of peak compute and ${options.bandwidthEfficiency} of bandwidth`,
    source: `${hardware.source}; ${model.source}`,
    iterationSeconds(f) {
      const tokens = f.decodeCount + f.prefillTokens;
      // Only the last position of each sequence goes through the output head.
      const head = gemm(f.decodeCount + f.prefillCount, hidden, model.vocabularySize / tp);
      return model.layers * layerSeconds(f, tokens) + head + options.overheadMicroseconds * 1e-6;
    },
    // Attention is the larger of two lines in the context; the rest depends on the count alone.
    decodeRun: {
      iterations({ decodeCount, decodeContextTokens }) {
        const isAbove = isArithmeticBound(decodeCount, decodeContextTokens);
        if (isAbove || flopsPerContext <= bytesPerContext) return Infinity;
        const crossing = (decodeCount * bytesPerDecode) / (flopsPerContext - bytesPerContext);
        const left = Math.floor((crossing - decodeContextTokens) / decodeCount) + 1;
        return Math.max(1, left);
      },
      slopeSeconds({ decodeCount, decodeContextTokens }) {
        const isAbove = isArithmeticBound(decodeCount, decodeContextTokens);
        return model.layers * decodeCount * (isAbove ? flopsPerContext : bytesPerContext);
      },
    },
  };
}
