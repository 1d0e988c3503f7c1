import type {
  AttentionCache,
  AttentionPart,
  ForwardResult,
  ProjectedRows,
} from '../transformer/types';
import { addMlp, addProjections, projectedPlaces } from './transformer-block';
import { type DeviceModel, LOGIT_ROWS } from './transformer-model';
import { createPartAttention } from './transformer-parts';

/** One call of the model on the device, waited for layer by layer. Rows are dense: [rows, width]. */
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

/** Steps over a decoder's layers, for caches that live in JavaScript. */
export function createLayerRunner(model: DeviceModel): LayerRunner {
  const { gpu, config, weights } = model;
  const { hiddenSize, headSize, vocabularySize } = config;
  const queryWidth = config.heads * headSize;
  const kvWidth = config.kvHeads * headSize;
  const attention = createPartAttention(gpu, config);

  return {
    async begin(rows) {
      const at = await model.placesFor(rows);
      const steps = model.makeSteps();
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
          const layer = weights.layers[index]!;
          addProjections(steps, config, layer, at, count);
          const { queries: asked, keys: given } = projectedPlaces(layer, at);
          const [queries, keys, values] = await steps.read([
            [asked, count * queryWidth],
            [given, count * kvWidth],
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
          if (count > 0) addMlp(steps, config, weights.layers[index]!, at, count);
        },
        async finish(count, which) {
          if (count === 0) return { logits: new Float32Array(0), hidden: new Float32Array(0) };
          const [hidden] = await steps.read([[at.residual, count * hiddenSize]]);
          const first = which === 'all' ? 0 : count - 1;
          const logits = new Float32Array(which === 'none' ? 0 : (count - first) * vocabularySize);
          for (let row = first; row < count && which !== 'none'; row += LOGIT_ROWS) {
            const some = Math.min(LOGIT_ROWS, count - row);
            steps.copyRows(at.residual, row, at.tail, some, hiddenSize);
            steps.norm(at.tail, weights.finalNorm, at.normed, some, hiddenSize);
            steps.linear(weights.head, at.normed, at.logits, some);
            const [values] = await steps.read([[at.logits, some * vocabularySize]]);
            logits.set(values!, (row - first) * vocabularySize);
          }
          return { logits, hidden: hidden! };
        },
        end: () => steps.flush(),
      };
    },
    destroy: () => attention.destroy(),
  };
}
