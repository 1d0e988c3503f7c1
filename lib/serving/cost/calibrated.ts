import type { HubModel } from '../presets/hub-models';
import type { CostModel, HardwareSpec } from '../types';
import { paddedTokens } from './cuda-graphs';
import { DECODE_TILE, decodeTileFlops, MIXED_ATTENTION } from './mixed-attention';
import type { LinkSpec } from './op-tables/op-tables';

/** Shares of an accelerator's data sheet that operators reach, and their start-up in microseconds. */
export interface Calibration {
  readonly gemm: {
    readonly computeShare: number;
    readonly bandwidthShare: number;
    readonly startMicroseconds: number;
    /** Compute and memory time combine as (compute^q + memory^q)^(1/q). */
    readonly overlapPower: number;
  };
  readonly decode: {
    readonly bandwidthShare: number;
    readonly startMicroseconds: number;
    readonly perSequenceMicroseconds: number;
  };
  readonly prefill: {
    readonly computeShare: number;
    readonly startMicroseconds: number;
    readonly perTokenMicroseconds: number;
    readonly perContextTokenMicroseconds: number;
  };
  /** Its attention kernel of mixed batches: FlashAttention 3 on Hopper, else 2. */
  readonly flashAttention: 2 | 3;
  readonly source: string;
}

/**
 * Fitted by operator, not by run, on LLMServingSim's RTX 4090 tables of Llama 3.1 8B (vLLM 0.19)
 * against its data sheet of 165.2 TFLOP/s and 1,008 GB/s: matrix products 160 TFLOP/s, 947 GB/s,
 * 5.8 us, q 2.2 (mean error 3.7 %); decode attention 926 GB/s, 11.5 us and 0.20 us a sequence
 * (8.9 %); prefill attention 176 TFLOP/s, 7 us, 0.027 us a token and 0.02 us a context token
 * (10 to 15 %).
 */
const RTX_4090: Calibration = {
  gemm: {
    computeShare: 160 / 165.2,
    bandwidthShare: 947 / 1008,
    startMicroseconds: 5.8,
    overlapPower: 2.2,
  },
  decode: {
    bandwidthShare: 926 / 1008,
    startMicroseconds: 11.5,
    perSequenceMicroseconds: 0.2,
  },
  prefill: {
    computeShare: 176 / 165.2,
    startMicroseconds: 7,
    perTokenMicroseconds: 0.027,
    perContextTokenMicroseconds: 0.02,
  },
  flashAttention: 2,
  source: 'operator fits on LLMServingSim tables, RTX 4090',
};

/**
 * Fitted in the same way on AIConfigurator's H100 tables (vLLM 0.24, 16 bit), against 989.4 TFLOP/s
 * and 3,350 GB/s: matrix products of 4,096 to 16,384 columns and rows 820 TFLOP/s, 2,963 GB/s,
 * 3.7 us, q 6.4 (mean error 5.4 %); decode attention of 8 KV heads 3,118 GB/s, 12.1 us and 0.124 us
 * a sequence (9.1 %); prefill attention of one prompt 632 TFLOP/s, 13.9 us and 0.010 us a token
 * (5.0 %; no samples with context).
 */
const H100: Calibration = {
  gemm: {
    computeShare: 820 / 989.4,
    bandwidthShare: 2963 / 3350,
    startMicroseconds: 3.7,
    overlapPower: 6.4,
  },
  decode: {
    bandwidthShare: 3118 / 3350,
    startMicroseconds: 12.1,
    perSequenceMicroseconds: 0.124,
  },
  prefill: {
    computeShare: 632 / 989.4,
    startMicroseconds: 13.9,
    perTokenMicroseconds: 0.01,
    perContextTokenMicroseconds: 0.01,
  },
  flashAttention: 3,
  source: 'operator fits on AIConfigurator tables, H100',
};

const OWN: Readonly<Record<string, Calibration>> = { 'rtx-4090': RTX_4090, h100: H100 };

/** What an accelerator without fits of its own is expected to reach: the mean of those with. */
const OTHERS: Calibration = {
  gemm: {
    computeShare: (RTX_4090.gemm.computeShare + H100.gemm.computeShare) / 2,
    bandwidthShare: (RTX_4090.gemm.bandwidthShare + H100.gemm.bandwidthShare) / 2,
    startMicroseconds: (RTX_4090.gemm.startMicroseconds + H100.gemm.startMicroseconds) / 2,
    overlapPower: (RTX_4090.gemm.overlapPower + H100.gemm.overlapPower) / 2,
  },
  decode: {
    bandwidthShare: (RTX_4090.decode.bandwidthShare + H100.decode.bandwidthShare) / 2,
    startMicroseconds: (RTX_4090.decode.startMicroseconds + H100.decode.startMicroseconds) / 2,
    perSequenceMicroseconds:
      (RTX_4090.decode.perSequenceMicroseconds + H100.decode.perSequenceMicroseconds) / 2,
  },
  prefill: {
    computeShare: (RTX_4090.prefill.computeShare + H100.prefill.computeShare) / 2,
    startMicroseconds: (RTX_4090.prefill.startMicroseconds + H100.prefill.startMicroseconds) / 2,
    perTokenMicroseconds:
      (RTX_4090.prefill.perTokenMicroseconds + H100.prefill.perTokenMicroseconds) / 2,
    perContextTokenMicroseconds:
      (RTX_4090.prefill.perContextTokenMicroseconds + H100.prefill.perContextTokenMicroseconds) / 2,
  },
  flashAttention: 2,
  source: 'mean of the operator fits of two other accelerators, RTX 4090 and H100',
};

/** The fits of an accelerator, or the mean of the others' where it has none. */
export function calibrationOf(hardware: HardwareSpec): Calibration {
  return OWN[hardware.id] ?? OTHERS;
}

/**
 * Weight of the longest context in a batch of unequal decodes, t = t(mean) + weight (t(longest) -
 * t(mean)): the pooled weight of LLMServingSim's profile of Qwen3 30B A3B on the RTX PRO 6000. One
 * number for what its tables resolve into thousands of buckets, from 0 to 0.9.
 */
const SKEW = { weight: 0.0645, source: "decode skew: pooled weight of another model's profile" };

/** Start-up of a norm, a rotation and an activation, microseconds, from the same tables. */
const ELEMENTWISE_START = 2 * 1.6 + 2.5 + 2.7;
/** Microseconds a token at a hidden size of 4,096: norms and rotation work out of the cache. */
const ELEMENTWISE_PER_TOKEN = (2 * 0.0068 + 0.0047) / 4096;

export interface CalibratedOptions {
  readonly tensorParallel: number;
  readonly link: LinkSpec;
  readonly largestGraphTokens: number;
  /** Peak of the matrix products over that of 16 bits; 1 unless given. */
  readonly matrixSpeedup?: number;
}

/**
 * Iteration time without tables of the accelerator: each operator as a start-up and a smooth
 * maximum of its arithmetic and its memory time, at the shares of the data sheet that another
 * accelerator reaches. In a mixed batch FlashAttention 2 takes `decodeTileFlops` for
 * its decodes; version 3 is taken at its parts over `MIXED_ATTENTION.partsShare`.
 *
 * @throws Error for a model with experts
 */
export function calibratedCostModel(
  model: HubModel,
  hardware: HardwareSpec,
  calibration: Calibration,
  options: CalibratedOptions,
): CostModel {
  if (model.experts !== undefined)
    throw new Error(`${model.label} has experts: it needs operator tables with a moe.csv`);
  const { tensorParallel: tp, link } = options;
  const { gemm, decode, prefill } = calibration;
  const flops =
    hardware.peakFlopsPerSecond * gemm.computeShare * (options.matrixSpeedup ?? 1) * 1e-6;
  const bandwidth = hardware.bandwidthBytesPerSecond * 1e-6;
  const { hiddenSize: hidden, headSize, layers, bytesPerWeight: w } = model;
  const queryHeads = model.queryHeads / tp;
  const queryWidth = queryHeads * headSize;
  const isTiled = calibration.flashAttention === 2;
  const kvWidth = Math.max(model.kvHeads / tp, 1) * headSize;
  const ffn = model.ffnSize / tp;
  const q = gemm.overlapPower;

  const product = (tokens: number, inputs: number, outputs: number): number => {
    const compute = (2 * tokens * inputs * outputs) / flops;
    const bytes = (inputs * outputs + tokens * (inputs + outputs)) * w;
    const memory = bytes / (bandwidth * gemm.bandwidthShare);
    return gemm.startMicroseconds + (compute ** q + memory ** q) ** (1 / q);
  };
  const dense = (tokens: number): number => {
    let us =
      product(tokens, hidden, queryWidth + 2 * kvWidth) + product(tokens, queryWidth, hidden);
    us += product(tokens, hidden, (model.ffnMatrices - 1) * ffn) + product(tokens, ffn, hidden);
    us += ELEMENTWISE_START + ELEMENTWISE_PER_TOKEN * tokens * hidden;
    us += (tokens * 3 * ffn * w) / bandwidth;
    if (tp > 1) {
      const bytes = ((2 * (tp - 1)) / tp) * tokens * hidden * w;
      us += 2e6 * (link.latencySeconds + bytes / link.bytesPerSecond);
    }
    return us;
  };
  return {
    kind: 'calibrated',
    label: `calibrated, ${model.label} on ${tp} x ${hardware.label}`,
    source: `${calibration.source}; ${hardware.source}; ${isTiled ? DECODE_TILE.source : MIXED_ATTENTION.source}; ${SKEW.source}`,
    readsDecodeRange: true,
    iterationSeconds(f) {
      const tokens = paddedTokens(f.decodeCount + f.prefillTokens, options.largestGraphTokens);
      const peak = hardware.peakFlopsPerSecond * prefill.computeShare * 1e-6;
      let attention = 0;
      if (f.decodeCount > 0) {
        const uneven = f.decodeContextMax * f.decodeCount - f.decodeContextTokens;
        const contextTokens = f.decodeContextTokens + SKEW.weight * uneven;
        if (isTiled && f.prefillTokens > 0) {
          const { decodeCount: n, prefillTokens, prefillCount } = f;
          const prompt = prefillTokens / prefillCount;
          attention += decodeTileFlops(n, contextTokens, prompt, queryHeads, headSize) / peak;
        } else {
          const bytes = 2 * contextTokens * kvWidth * model.bytesPerKvElement;
          attention += decode.startMicroseconds + decode.perSequenceMicroseconds * f.decodeCount;
          attention += bytes / (bandwidth * decode.bandwidthShare);
        }
      }
      if (f.prefillTokens > 0) {
        attention += prefill.startMicroseconds + prefill.perTokenMicroseconds * f.prefillTokens;
        attention += prefill.perContextTokenMicroseconds * f.prefillContextTokens;
        attention += (4 * f.prefillAttentionPairs * queryWidth) / peak;
        if (f.decodeCount > 0 && !isTiled) attention /= MIXED_ATTENTION.partsShare;
      }
      const head = product(f.decodeCount + f.prefillCount, hidden, model.vocabularySize / tp);
      return (layers * (dense(tokens) + attention) + head) * 1e-6;
    },
  };
}
