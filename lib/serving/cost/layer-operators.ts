import { decodePairShare, decodeReadShare, prefillPairShare } from '../transforms/budgets';
import type { ModelTransform } from '../transforms/presets';
import type { BatchFeatures, HardwareSpec, ModelSpec } from '../types';
import { expectedExperts } from './op-tables/moe';
import type { LayerSeconds } from './overlap';

export interface OperatorOptions {
  readonly tensorParallel: number;
  readonly computeEfficiency: number;
  readonly bandwidthEfficiency: number;
  readonly collectiveLatencySeconds: number;
  readonly transform: ModelTransform;
}

export interface LayerOperators {
  /** What `read` fills. */
  readonly layer: LayerSeconds;
  /**
   * Seconds of one layer for a batch.
   * @param tokens rows of the matrix products
   * @param reads how often the weights are read
   * @param isCounting whether the lanes are needed too, not only `serial` and the network
   */
  read(features: BatchFeatures, tokens: number, reads: number, isCounting: boolean): void;
  /** Seconds of the output head, or of its arithmetic or its bytes alone. */
  head(features: BatchFeatures, part?: 'arithmetic' | 'memory'): number;
  /** Decode attention of one layer by context token, and the bytes that come with each decode. */
  readonly perContext: {
    readonly flops: number;
    readonly bytes: number;
    readonly bytesPerDecode: number;
  };
}

const COMPUTE = 2;
const MEMORY = 3;

/** The operators of one decoder layer on one of `tensorParallel` ranks, in seconds. */
export function layerOperators(
  model: Omit<ModelSpec, 'id'>,
  hardware: HardwareSpec,
  options: OperatorOptions,
): LayerOperators {
  const { tensorParallel: tp, transform: t } = options;
  const flopsPerSecond = hardware.peakFlopsPerSecond * options.computeEfficiency;
  const bytesPerSecond = hardware.bandwidthBytesPerSecond * options.bandwidthEfficiency;
  const { hiddenSize: hidden, headSize, bytesPerWeight: w, experts } = model;
  const queryWidth = (model.queryHeads * headSize) / tp;
  const kvWidth = Math.max(model.kvHeads / tp, 1) * headSize;
  const ffnWidth = model.ffnSize / tp;
  /** Bytes that a matrix product reads of each weight; unpacked ones are back at 16 bits. */
  const linearBytes = t.unpacksWeights ? w : w * t.weightBytes;
  let reads = 1;
  let isCounting = false;

  const layer: LayerSeconds = {
    serial: 0,
    arithmetic: 0,
    memory: 0,
    computeLane: 0,
    memoryLane: 0,
    norms: 0,
    networkLatency: 0,
    networkBytes: 0,
  };
  /** Arithmetic, memory, compute lane and memory lane so far; a column keeps numbers unboxed. */
  const sums = new Float64Array(4);
  const operator = (lane: typeof COMPUTE | typeof MEMORY, flops: number, bytes: number): number => {
    const arithmetic = flops / flopsPerSecond;
    const memory = bytes / bytesPerSecond;
    const seconds = Math.max(arithmetic, memory);
    if (isCounting) {
      sums[0] = (sums[0] as number) + arithmetic;
      sums[1] = (sums[1] as number) + memory;
      sums[lane] = (sums[lane] as number) + seconds;
    }
    return seconds;
  };
  /** `rows` through one of `copies` matrices each. */
  const gemm = (rows: number, inputs: number, outputs: number, copies = 1): number =>
    operator(
      COMPUTE,
      2 * rows * inputs * outputs * t.gemmTime,
      inputs * outputs * linearBytes * copies * reads + rows * (inputs + outputs) * w,
    );
  const ffn = (rows: number, width: number, copies = 1): number =>
    gemm(rows, hidden, width * (model.ffnMatrices - 1), copies) + gemm(rows, width, hidden, copies);

  /** KV bytes that decodes read over the dense model's, where no budget makes it depend on the context. */
  const flatReadShare = t.decodeKvBytes + t.decodeIndex;
  const kvElementBytes = model.bytesPerKvElement * t.kvBytes;
  /** Width of a token's activation inside the feed-forward part. */
  const sharedWidth = (experts?.sharedFfnSize ?? 0) / tp;
  const activeWidth = experts === undefined ? ffnWidth : ffnWidth * experts.perToken + sharedWidth;
  const feedForward = (tokens: number): number => {
    if (experts === undefined) return ffn(tokens, ffnWidth);
    const distinct = expectedExperts(experts, tokens);
    let seconds = gemm(tokens, hidden, experts.count);
    seconds += ffn(tokens * experts.perToken, ffnWidth, distinct);
    if (sharedWidth > 0) seconds += ffn(tokens, sharedWidth);
    return seconds;
  };
  /** Weights that are unpacked in every iteration: those of every expert that any token reaches. */
  const unpackedBytes = (tokens: number): number => {
    const copies = experts === undefined ? 1 : expectedExperts(experts, tokens);
    const width = ffnWidth * copies + sharedWidth;
    const attention = hidden * 2 * (queryWidth + kvWidth);
    return (attention + model.ffnMatrices * hidden * width) * w * (t.weightBytes + 1);
  };

  return {
    layer,
    read(f, tokens, weightReads, counting) {
      reads = weightReads;
      isCounting = counting;
      if (counting) sums.fill(0);
      let seconds =
        gemm(tokens, hidden, queryWidth + 2 * kvWidth) + gemm(tokens, queryWidth, hidden);
      seconds += feedForward(tokens);
      // Two norms and two residual additions read and write the hidden state; rotary and activation their own.
      seconds += operator(
        MEMORY,
        0,
        tokens * w * (8 * hidden + 2 * (queryWidth + kvWidth) + 3 * activeWidth),
      );
      if (f.prefillCount > 0) {
        const keys = f.prefillTokens > 0 ? f.prefillAttentionPairs / f.prefillTokens : 0;
        const pairs = f.prefillAttentionPairs * prefillPairShare(t, keys);
        const kvBytes = 2 * (f.prefillContextTokens + f.prefillTokens) * kvWidth * kvElementBytes;
        seconds += operator(
          COMPUTE,
          4 * pairs * queryWidth,
          kvBytes + 2 * f.prefillTokens * queryWidth * w,
        );
      }
      if (f.decodeCount > 0) {
        const queries = f.queriesPerDecode ?? 1;
        let readShare = flatReadShare;
        let pairShare = 1;
        if (t.decodeBudgetTokens > 0) {
          const mean = f.decodeContextTokens / f.decodeCount;
          readShare = decodeReadShare(t, mean);
          pairShare = decodePairShare(t, mean);
        }
        const readTokens = f.decodeContextTokens * readShare;
        const pairs = f.decodeContextTokens * queries * pairShare;
        const kvBytes = 2 * readTokens * kvWidth * model.bytesPerKvElement;
        seconds += operator(
          MEMORY,
          4 * pairs * queryWidth,
          kvBytes + 2 * f.decodeCount * queries * queryWidth * w,
        );
      }
      if (t.unpacksWeights) seconds += operator(MEMORY, 0, unpackedBytes(tokens));
      layer.serial = seconds;
      if (counting) {
        layer.arithmetic = sums[0] as number;
        layer.memory = sums[1] as number;
        layer.computeLane = sums[COMPUTE] as number;
        layer.memoryLane = sums[MEMORY] as number;
        layer.norms = (tokens * w * 8 * hidden) / bytesPerSecond;
      }
      const ringBytes = ((2 * (tp - 1)) / tp) * tokens * hidden * w;
      layer.networkBytes = (2 * ringBytes) / hardware.interconnectBytesPerSecond;
      layer.networkLatency = tp > 1 ? 2 * options.collectiveLatencySeconds : 0;
    },
    head(f, part) {
      // Only positions that give a token go through the output head, whose weights stay as they are.
      const rows = f.decodeCount * (f.queriesPerDecode ?? 1) + f.prefillCount;
      const outputs = model.vocabularySize / tp;
      const flops = (2 * rows * hidden * outputs) / flopsPerSecond;
      const bytes = ((hidden * outputs + rows * (hidden + outputs)) * w) / bytesPerSecond;
      if (part === 'arithmetic') return flops;
      return part === 'memory' ? bytes : Math.max(flops, bytes);
    },
    perContext: {
      flops: (4 * queryWidth) / flopsPerSecond,
      bytes: (2 * kvWidth * model.bytesPerKvElement * flatReadShare) / bytesPerSecond,
      bytesPerDecode: (2 * queryWidth * w) / bytesPerSecond,
    },
  };
}
