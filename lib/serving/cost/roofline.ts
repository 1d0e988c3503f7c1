import { transformVector } from '../../spec/kinds/serve-transform';
import { emptyFeatures, NO_PROMPTS } from '../core/features';
import type { ModelTransform } from '../transforms/presets';
import type { BatchFeatures, CostModel, HardwareSpec, ModelSpec } from '../types';
import { layerOperators } from './layer-operators';
import { type Overlap, overlappedSeconds, weightReads } from './overlap';
import { streamSeconds, withStream } from './streamed-weights';

export interface RooflineOptions {
  readonly tensorParallel: number;
  readonly computeEfficiency: number;
  readonly bandwidthEfficiency: number;
  readonly overheadMicroseconds: number;
  /** Start-up of each all-reduce; 0 unless given. */
  readonly collectiveLatencyMicroseconds?: number;
  readonly overlap?: Overlap;
  readonly transform?: ModelTransform | undefined;
}

/** Where the time of an iteration goes; what overlaps is counted in full. */
export interface IterationParts {
  readonly arithmeticSeconds: number;
  readonly memorySeconds: number;
  readonly computeLaneSeconds: number;
  readonly memoryLaneSeconds: number;
  readonly networkSeconds: number;
  readonly normSeconds: number;
}

export interface RooflineCostModel extends CostModel {
  parts(features: BatchFeatures): IterationParts;
}

const DENSE: ModelTransform = { ...transformVector.parse({}), label: 'unchanged' };
const SERIAL: Overlap = { type: 'serial' };

/**
 * Roofline per operator (Williams et al., 2009): each operator takes the larger of its arithmetic
 * at peak x computeEfficiency and its bytes at bandwidth x bandwidthEfficiency, operators run one
 * after another unless `overlap` says otherwise, and attention of prefills and of decodes is two
 * operators. Tensor parallelism divides heads and matrices and adds two ring all-reduces per layer.
 * Experts are read once each where any token reaches them, count (1 - (1 - perToken / count)^tokens)
 * of them under uniform routing. Weights that a transform streams are read beside all that, once an
 * iteration (`streamed-weights.ts`). Nothing is fitted; real mixed batches cost more than this sum, which
 * flatters chunked prefill.
 */
export function rooflineCostModel(
  model: Omit<ModelSpec, 'id'>,
  hardware: HardwareSpec,
  options: RooflineOptions,
): RooflineCostModel {
  const { tensorParallel: tp, overlap = SERIAL, transform = DENSE } = options;
  const operators = layerOperators(model, hardware, {
    ...options,
    collectiveLatencySeconds: (options.collectiveLatencyMicroseconds ?? 0) * 1e-6,
    transform,
  });
  const { layer, head, perContext } = operators;
  const isSerial = overlap.type === 'serial';
  const overheadSeconds = (options.overheadMicroseconds + transform.overheadMicroseconds) * 1e-6;

  const streaming = streamSeconds(model, transform, tp);

  function readLayer(f: BatchFeatures, isCounting: boolean): number {
    const queries = f.queriesPerDecode ?? 1;
    const tokens = f.decodeCount * queries + f.prefillTokens * transform.prefillFlops;
    operators.read(f, tokens, isSerial ? 1 : weightReads(overlap, tokens), isCounting);
    return tokens;
  }
  const decodesAlone = emptyFeatures();
  const passingBy = emptyFeatures();
  function layerSeconds(f: BatchFeatures): number {
    const tokens = readLayer(f, !isSerial);
    if (isSerial) return layer.serial + (layer.networkLatency + layer.networkBytes);
    return overlappedSeconds(layer, overlap, { tokens, tensorParallel: tp, layers: model.layers });
  }
  /** Prompts in some of the layers: the others see the decodes alone, and read experts for them only. */
  function layeredSeconds(f: BatchFeatures, share: number): number {
    const mixed = layerSeconds(f);
    let without = 0;
    if (f.decodeCount > 0) without = layerSeconds(Object.assign(decodesAlone, f, NO_PROMPTS));
    const emits = f.prefillReachesHead !== false;
    const atHead = emits ? f : Object.assign(passingBy, f, NO_PROMPTS);
    const last = emits || f.decodeCount > 0 ? head(atHead) : 0;
    return withStream(
      model.layers * (share * mixed + (1 - share) * without) + last + overheadSeconds,
      streaming,
      transform.streamOverlap,
    );
  }
  const isArithmeticBound = (count: number, context: number): boolean =>
    context * perContext.flops > context * perContext.bytes + count * perContext.bytesPerDecode;
  const words = [
    isSerial ? '' : `, overlap ${overlap.type}`,
    transform === DENSE ? '' : `, ${transform.label}`,
  ].join('');

  return {
    kind: 'roofline',
    label: `roofline, ${model.label} on ${tp} x ${hardware.label} at ${options.computeEfficiency} of peak compute and ${options.bandwidthEfficiency} of bandwidth${words}`,
    source: `${hardware.source}; ${model.source}`,
    iterationSeconds(f) {
      const share = f.prefillLayerShare ?? 1;
      if (share < 1 && f.prefillCount > 0) return layeredSeconds(f, share);
      const seconds = model.layers * layerSeconds(f) + head(f) + overheadSeconds;
      return withStream(seconds, streaming, transform.streamOverlap);
    },
    pricesLayers: true,
    parts(f) {
      readLayer(f, true);
      const { layers } = model;
      return {
        arithmeticSeconds: layers * layer.arithmetic + head(f, 'arithmetic'),
        memorySeconds: layers * layer.memory + head(f, 'memory'),
        computeLaneSeconds: layers * layer.computeLane + head(f),
        memoryLaneSeconds: layers * layer.memoryLane,
        networkSeconds: layers * (layer.networkLatency + layer.networkBytes),
        normSeconds: layers * layer.norms,
      };
    },
    // Attention is the larger of two lines in the context; the rest depends on the count alone.
    ...(isSerial && transform.decodeBudgetTokens === 0 && streaming === 0
      ? {
          decodeRun: {
            iterations({ decodeCount, decodeContextTokens }) {
              const isAbove = isArithmeticBound(decodeCount, decodeContextTokens);
              const { flops, bytes, bytesPerDecode } = perContext;
              if (isAbove || flops <= bytes) return Infinity;
              const crossing = (decodeCount * bytesPerDecode) / (flops - bytes);
              const left = Math.floor((crossing - decodeContextTokens) / decodeCount) + 1;
              return Math.max(1, left);
            },
            slopeSeconds({ decodeCount, decodeContextTokens }) {
              const isAbove = isArithmeticBound(decodeCount, decodeContextTokens);
              return model.layers * decodeCount * (isAbove ? perContext.flops : perContext.bytes);
            },
          },
        }
      : {}),
  };
}
