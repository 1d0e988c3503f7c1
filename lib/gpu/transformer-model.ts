import type { TransformerConfig, TransformerWeights } from '../transformer/types';
import type { GpuDevice } from './device';
import { type OwnedBuffers, ownedBuffers } from './owned-buffers';
import { type LayerSteps, prepareSteps } from './transformer-steps';
import { type DeviceWeights, uploadWeights } from './transformer-weights';

/** Rows whose logits are computed at once. */
export const LOGIT_ROWS = 64;

const PLACES = [
  'residual',
  'normed',
  'queries',
  'keys',
  'values',
  'normedQueries',
  'normedKeys',
  'attended',
  'gate',
  'up',
  'tail',
  'logits',
] as const;

/** Buffers of a step's rows, dense: [rows, width]; `tail` and `logits` of LOGIT_ROWS rows. */
export type Places = Readonly<Record<(typeof PLACES)[number], GPUBuffer>>;

/** A decoder's weights and pipelines on a device. */
export interface DeviceModel {
  readonly gpu: GpuDevice;
  readonly config: TransformerConfig;
  readonly weights: DeviceWeights;
  /** Stays in JavaScript: rows are looked up there. [vocabularySize, hiddenSize] */
  readonly embedding: Float32Array;
  makeSteps(): LayerSteps;
  /** Room for at least so many rows; what an earlier call gave is gone where it had less. */
  placesFor(rows: number): Promise<Places>;
  destroy(): void;
}

/** @throws Error with a sentence where the weights do not fit the device */
export async function createDeviceModel(
  gpu: GpuDevice,
  config: TransformerConfig,
  weights: TransformerWeights,
): Promise<DeviceModel> {
  const steps = await prepareSteps(gpu, config.headSize, config.normEpsilon);
  const owned = ownedBuffers(gpu);
  const deviceWeights = await uploadWeights(owned, config, weights).catch((error: unknown) => {
    owned.destroy();
    steps.destroy();
    throw error;
  });
  let held: { rows: number; places: Places; buffers: OwnedBuffers } | undefined;

  function widthsOf(rows: number): Readonly<Record<keyof Places, readonly [number, number]>> {
    const { hiddenSize, intermediateSize, vocabularySize, qkNorm } = config;
    const queryWidth = config.heads * config.headSize;
    const kvWidth = config.kvHeads * config.headSize;
    const last = Math.min(rows, LOGIT_ROWS);
    return {
      residual: [rows, hiddenSize],
      normed: [rows, hiddenSize],
      queries: [rows, queryWidth],
      keys: [rows, kvWidth],
      values: [rows, kvWidth],
      normedQueries: [rows, qkNorm ? queryWidth : 0],
      normedKeys: [rows, qkNorm ? kvWidth : 0],
      attended: [rows, queryWidth],
      gate: [rows, intermediateSize],
      up: [rows, intermediateSize],
      tail: [last, hiddenSize],
      logits: [last, vocabularySize],
    };
  }

  return {
    gpu,
    config,
    weights: deviceWeights,
    embedding: weights.embedding,
    makeSteps: steps.begin,
    async placesFor(rows) {
      if (held && held.rows >= rows) return held.places;
      held?.buffers.destroy();
      held = undefined;
      const buffers = ownedBuffers(gpu);
      const widths = widthsOf(rows);
      try {
        const made: Partial<Record<keyof Places, GPUBuffer>> = {};
        for (const name of PLACES) {
          const [count, width] = widths[name];
          made[name] = await buffers.store(`${name} of a step`, { bytes: 4 * count * width });
        }
        const places = made as Places;
        held = { rows, places, buffers };
        return places;
      } catch (error) {
        buffers.destroy();
        throw error;
      }
    },
    destroy() {
      held?.buffers.destroy();
      owned.destroy();
      steps.destroy();
    },
  };
}
