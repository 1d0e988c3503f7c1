import { checkStep } from '../transformer/reference';
import type {
  AttentionCache,
  ForwardResult,
  ForwardStep,
  StepTally,
  Transformer,
} from '../transformer/types';
import { createArena } from '../wasm/arena';
import { createLayerAttention } from '../wasm/transformer-attention';
import { instantiateTransformer } from '../wasm/transformer-kernel';
import type { GpuDevice } from './device';
import { canHold, createHeldRunner } from './transformer-held';
import { createLayerRunner, type LayerRunner } from './transformer-layers';
import { createDeviceModel } from './transformer-model';

/**
 * Steps of fewer rows go to the CPU where they would be waited for layer by layer: a row reads every
 * weight once either way, and those waits cost more than that.
 */
const MIN_LAYER_ROWS = 16;

export interface GpuTransformerOptions {
  /** Rows from which on `forwardAsync` uses the device with one wait for all layers. Default 1. */
  readonly minHeldRows?: number;
  /** Rows from which on it does with a wait for every layer. Default 16. */
  readonly minLayerRows?: number;
}

export interface GpuTransformer extends Transformer {
  forwardAsync(step: ForwardStep): Promise<ForwardResult>;
  tally(): StepTally;
  /** From now on fewer rows go to the CPU, as with `minHeldRows`. */
  holdFrom(rows: number): void;
  destroy(): void;
}

/**
 * A decoder on the device: `forwardAsync`. Where a cache lets its slots be copied (`copied`) and hooks
 * only read, the device holds the slots, and a step is one wait, decoding too. Other caches are asked
 * between the layers, each of which is waited for: their attention runs on the device where they have
 * one part per KV head and ask for no weights, else on the CPU. `forward` is the CPU engine's.
 *
 * @param cpu an engine over the same weights
 * @throws Error with a sentence where the weights do not fit the device
 */
export async function createGpuTransformer(
  gpu: GpuDevice,
  cpu: Transformer,
  options: GpuTransformerOptions = {},
): Promise<GpuTransformer> {
  const { config, weights } = cpu;
  const { minLayerRows = MIN_LAYER_ROWS } = options;
  let minHeldRows = options.minHeldRows ?? 1;
  const model = await createDeviceModel(gpu, config, weights);
  const layerRunner = createLayerRunner(model);
  const heldRunner = createHeldRunner(model);
  const attendOnCpu = cpuAttention(cpu);
  const tally = { held: 0, layered: 0, cpu: 0 };
  let last: Promise<unknown> = Promise.resolve();

  async function runLayers(step: ForwardStep): Promise<ForwardResult> {
    const call = await layerRunner.begin(step.tokens.length);
    try {
      return await forwardLayers(step, call, cpu, attendOnCpu);
    } finally {
      call.end();
    }
  }

  async function run(step: ForwardStep): Promise<ForwardResult> {
    const rows = step.tokens.length;
    if (rows >= minHeldRows && canHold(step)) {
      const result = await heldRunner.run(step);
      if (result !== undefined) {
        tally.held++;
        return result;
      }
    }
    if (rows >= minLayerRows) {
      tally.layered++;
      return runLayers(step);
    }
    tally.cpu++;
    return cpu.forward(step);
  }

  return {
    config,
    weights,
    engine: 'webgpu',
    forward(step) {
      tally.cpu++;
      return cpu.forward(step);
    },
    forwardAsync(step) {
      const turn = last.then(() => {
        checkStep(config, step);
        return run(step);
      });
      last = turn.catch(() => undefined);
      return turn;
    },
    tally: () => ({ ...tally }),
    holdFrom(rows) {
      minHeldRows = rows;
    },
    destroy() {
      heldRunner.destroy();
      layerRunner.destroy();
      model.destroy();
    },
  };
}

type AttendOnCpu = (
  layer: number,
  projected: Parameters<LayerRunnerCall['attendOnDevice']>[1],
  cache: AttentionCache,
) => Float32Array<ArrayBuffer>;
type LayerRunnerCall = Awaited<ReturnType<LayerRunner['begin']>>;

function cpuAttention({ config }: Transformer): AttendOnCpu {
  const arena = createArena('attention');
  const attention = createLayerAttention(arena, instantiateTransformer(arena.memory), config);
  const width = config.heads * config.headSize;
  return (layer, projected, cache) => {
    const mark = arena.end;
    try {
      const output = arena.place(4 * projected.rows * width);
      attention.attend(layer, projected, cache, output, 4 * width);
      return arena.floats().slice(output / 4, output / 4 + projected.rows * width);
    } finally {
      arena.release(mark);
    }
  };
}

async function forwardLayers(
  step: ForwardStep,
  call: LayerRunnerCall,
  { config, weights }: Transformer,
  attendOnCpu: AttendOnCpu,
): Promise<ForwardResult> {
  const { cache, hooks } = step;
  const { hiddenSize, kvHeads } = config;
  let tokens: Int32Array = Int32Array.from(step.tokens);
  let positions: Int32Array = Int32Array.from(step.positions);
  let rows: Int32Array = Int32Array.from(tokens, (_, i) => i);
  call.writeHidden(step.hidden ?? takeRows(weights.embedding, hiddenSize, tokens));
  const last = step.toLayer ?? config.layers;
  for (let layer = step.fromLayer ?? 0; layer < last; layer++) {
    const count = rows.length;
    const projected = { rows: count, positions, tokens, ...(await call.project(layer, count)) };
    hooks?.onProjected?.(layer, projected);
    cache.append(layer, projected);
    if (cache.perQuery || cache.observe) {
      call.writeAttended(attendOnCpu(layer, projected, cache));
    } else {
      const parts = Array.from({ length: kvHeads }, (_, kvHead) => cache.parts(layer, kvHead));
      if (parts.every((each) => each.length === 1)) {
        const whole = parts.map((each) => each[0]!);
        await call.attendOnDevice(layer, projected, cache, whole);
      } else {
        // The parts that were asked for, not asked for again.
        const given: AttentionCache = {
          perQuery: false,
          append: () => {},
          queryIndex: (...args) => cache.queryIndex(...args),
          parts: (_, kvHead) => parts[kvHead]!,
        };
        call.writeAttended(attendOnCpu(layer, projected, given));
      }
    }
    call.finishLayer(layer, count);
    if (hooks?.onLayerEnd === undefined) continue;
    const hidden = await call.readHidden(count);
    const kept = hooks.onLayerEnd(layer, hidden, count);
    // A hook may have written into the residual stream.
    call.writeHidden(kept ? takeRows(hidden, hiddenSize, kept) : hidden);
    if (kept) {
      const before = { rows, positions, tokens };
      rows = kept.map((i) => before.rows[i]!);
      positions = kept.map((i) => before.positions[i]!);
      tokens = kept.map((i) => before.tokens[i]!);
    }
  }
  return { ...(await call.finish(rows.length, step.logits ?? 'last')), rows };
}

function takeRows(x: Float32Array, width: number, rows: Int32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    out.set(x.subarray(row * width, (row + 1) * width), i * width);
  });
  return out;
}
