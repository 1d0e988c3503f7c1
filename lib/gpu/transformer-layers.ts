import type {
  AttentionCache,
  AttentionPart,
  ForwardResult,
  ProjectedRows,
  TransformerConfig,
  TransformerWeights,
} from '../transformer/types';
import type { GpuDevice } from './device';
import { type OwnedBuffers, ownedBuffers } from './owned-buffers';
import { createPartAttention } from './transformer-parts';
import { prepareSteps } from './transformer-steps';
import { uploadWeights } from './transformer-weights';

/** Rows whose logits are computed at once. */
const LOGIT_ROWS = 64;

/** One call of the model on the device. Rows are dense: [rows, width]. */
export interface LayerCall {
  writeHidden(hidden: Float32Array): void;
  readHidden(rows: number): Promise<Float32Array<ArrayBuffer>>;
  /** Before RoPE. */
  project(layer: number, rows: number): Promise<Pick<ProjectedRows, 'queries' | 'keys' | 'values'>>;
  attendOnDevice(
    layer: number,
    projected: ProjectedRows,
    cache: AttentionCache,
    parts: readonly AttentionPart[],
  ): Promise<void>;
  /** Instead of `attendOnDevice`: what was computed elsewhere, [rows, heads, headSize]. */
  writeAttended(attended: Float32Array<ArrayBuffer>): void;
  finishLayer(layer: number, rows: number): void;
  finish(
    rows: number,
    logits: 'last' | 'all' | 'none',
  ): Promise<Pick<ForwardResult, 'logits' | 'hidden'>>;
  end(): void;
}

export interface LayerRunner {
  /** One call at a time. */
  begin(rows: number): Promise<LayerCall>;
  destroy(): void;
}

type Places = Readonly<
  Record<
    | 'residual'
    | 'normed'
    | 'queries'
    | 'keys'
    | 'values'
    | 'normedQueries'
    | 'normedKeys'
    | 'attended'
    | 'gate'
    | 'up'
    | 'logits',
    GPUBuffer
  >
>;

/** A decoder's weights on the device and the steps over them. */
export async function createLayerRunner(
  gpu: GpuDevice,
  config: TransformerConfig,
  weights: TransformerWeights,
): Promise<LayerRunner> {
  const { hiddenSize, intermediateSize, headSize, heads, kvHeads, vocabularySize } = config;
  const queryWidth = heads * headSize;
  const kvWidth = kvHeads * headSize;
  const makeSteps = await prepareSteps(gpu, headSize, config.normEpsilon);
  const owned = ownedBuffers(gpu);
  const device = await uploadWeights(owned, config, weights).catch((error: unknown) => {
    owned.destroy();
    throw error;
  });
  const attention = createPartAttention(gpu, config);
  let held: { rows: number; places: Places; buffers: OwnedBuffers } | undefined;

  async function placesFor(rows: number): Promise<Places> {
    if (held && held.rows >= rows) return held.places;
    held?.buffers.destroy();
    held = undefined;
    const buffers = ownedBuffers(gpu);
    const store = (name: string, width: number, count = rows) =>
      buffers.store(name, { bytes: 4 * count * width });
    try {
      const places = {
        residual: await store('residual stream', hiddenSize),
        normed: await store('normed rows', hiddenSize),
        queries: await store('queries', queryWidth),
        keys: await store('keys', kvWidth),
        values: await store('values', kvWidth),
        normedQueries: await store('normed queries', config.qkNorm ? queryWidth : 0),
        normedKeys: await store('normed keys', config.qkNorm ? kvWidth : 0),
        attended: await store('attended rows', queryWidth),
        gate: await store('gate', intermediateSize),
        up: await store('up', intermediateSize),
        logits: await store('logits', vocabularySize, Math.min(rows, LOGIT_ROWS)),
      };
      held = { rows, places, buffers };
      return places;
    } catch (error) {
      buffers.destroy();
      throw error;
    }
  }

  return {
    async begin(rows) {
      const at = await placesFor(rows);
      const steps = makeSteps();
      const { queue } = gpu.device;
      return {
        writeHidden(hidden) {
          // After what has been gathered, which may read the old rows.
          steps.flush();
          queue.writeBuffer(at.residual, 0, Float32Array.from(hidden));
        },
        async readHidden(count) {
          if (count === 0) return new Float32Array(0);
          return (await steps.read([[at.residual, count * hiddenSize]]))[0]!;
        },
        async project(index, count) {
          if (count === 0) {
            const none = new Float32Array(0);
            return { queries: none, keys: none, values: none };
          }
          const layer = device.layers[index]!;
          steps.norm(at.residual, layer.attentionNorm, at.normed, count, hiddenSize);
          steps.linear(layer.q, at.normed, at.queries, count);
          steps.linear(layer.k, at.normed, at.keys, count);
          steps.linear(layer.v, at.normed, at.values, count);
          const isNormed = layer.qNorm !== undefined && layer.kNorm !== undefined;
          if (isNormed) {
            const { qNorm, kNorm } = layer;
            steps.norm(at.queries, qNorm!, at.normedQueries, count * heads, headSize);
            steps.norm(at.keys, kNorm!, at.normedKeys, count * kvHeads, headSize);
          }
          const [queries, keys, values] = await steps.read([
            [isNormed ? at.normedQueries : at.queries, count * queryWidth],
            [isNormed ? at.normedKeys : at.keys, count * kvWidth],
            [at.values, count * kvWidth],
          ]);
          return { queries: queries!, keys: keys!, values: values! };
        },
        async attendOnDevice(index, projected, cache, parts) {
          if (projected.rows === 0) return;
          await attention.attend(steps, index, projected, cache, parts, at.attended);
        },
        writeAttended(attended) {
          steps.flush();
          queue.writeBuffer(at.attended, 0, attended);
        },
        finishLayer(index, count) {
          if (count === 0) return;
          const layer = device.layers[index]!;
          steps.linear(layer.o, at.attended, at.residual, count, true);
          steps.norm(at.residual, layer.mlpNorm, at.normed, count, hiddenSize);
          steps.linear(layer.gate, at.normed, at.gate, count);
          steps.linear(layer.up, at.normed, at.up, count);
          steps.gate(at.gate, at.up, count * intermediateSize);
          steps.linear(layer.down, at.gate, at.residual, count, true);
        },
        async finish(count, which) {
          if (count === 0) return { logits: new Float32Array(0), hidden: new Float32Array(0) };
          const [hidden] = await steps.read([[at.residual, count * hiddenSize]]);
          const first = which === 'all' ? 0 : count - 1;
          const logits = new Float32Array(which === 'none' ? 0 : (count - first) * vocabularySize);
          for (let row = first; row < count && which !== 'none'; row += LOGIT_ROWS) {
            const some = Math.min(LOGIT_ROWS, count - row);
            const part = hidden!.subarray(row * hiddenSize, (row + some) * hiddenSize);
            queue.writeBuffer(at.residual, 0, part);
            steps.norm(at.residual, device.finalNorm, at.normed, some, hiddenSize);
            steps.linear(device.head, at.normed, at.logits, some);
            const [values] = await steps.read([[at.logits, some * vocabularySize]]);
            logits.set(values!, (row - first) * vocabularySize);
          }
          return { logits, hidden: hidden! };
        },
        end: () => steps.destroy(),
      };
    },
    destroy() {
      held?.buffers.destroy();
      attention.destroy();
      owned.destroy();
    },
  };
}
