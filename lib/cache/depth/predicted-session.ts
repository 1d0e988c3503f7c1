import type { Transformer } from '../../transformer/types';
import { createRowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { SessionFactory } from '../types';
import { fitPredictor, type KvPredictor, normedAt, type PredictionSource } from './predicted-kv';
import { applyMap } from './ridge';

export interface PredictedSessionOptions {
  /** Layers that the context runs through; half of them unless given. */
  readonly runLayers?: number;
  readonly ridge?: number;
  /** Texts to fit on; none of them should be the one that is asked about. */
  samples(model: Transformer): readonly (readonly number[])[];
}

/**
 * SwiftKV (Qiao et al., 2024), the mechanism: the context runs through the lower layers only, and the
 * keys and values of all upper layers are made from the residual stream where it stops. Questions and
 * answers run through every layer. Sharing keys and values between layers is left out.
 */
export const swiftKvSession = (options: PredictedSessionOptions): SessionFactory =>
  predictedSession('SwiftKV', 'hidden', options);

/**
 * KV prediction (Horton et al., 2024) with the model's own lower layers as the auxiliary model: the
 * keys and values of an upper layer are linear in those of a lower one.
 */
export const kvPredictionSession = (options: PredictedSessionOptions): SessionFactory =>
  predictedSession('KV prediction', 'keys and values', options);

function predictedSession(
  name: string,
  source: PredictionSource,
  { runLayers, ridge, samples }: PredictedSessionOptions,
): SessionFactory {
  /** One fit serves every session over a model. */
  const fitted = new WeakMap<Transformer, KvPredictor>();
  return {
    label: `${name}${runLayers === undefined ? '' : `, ${runLayers} layers run`}`,
    open(model) {
      const run = runLayers ?? Math.ceil(model.config.layers / 2);
      const known = fitted.get(model);
      const predictor =
        known ?? fitPredictor(model, samples(model), { source, runLayers: run, ridge });
      fitted.set(model, predictor);
      const rows = createRowCache(model.config);
      return openRowSession(model, {
        rows,
        encode(context) {
          const positions = Int32Array.from(context, (_, i) => i);
          const projected: { keys: Float32Array; values: Float32Array }[] = [];
          const { hidden } = model.forward({
            tokens: context,
            positions,
            cache: rows,
            toLayer: run,
            logits: 'none',
            hooks: {
              onProjected(_, { keys, values }) {
                projected.push({ keys: keys.slice(), values: values.slice() });
              },
            },
          });
          const normed = normedAt(model, hidden, run);
          for (const { layer, from, keys, values } of predictor.layers) {
            const inputs = source === 'hidden' ? undefined : projected[from]!;
            rows.append(layer, {
              rows: context.length,
              queries: new Float32Array(0),
              keys: applyMap(keys, inputs?.keys ?? normed),
              values: applyMap(values, inputs?.values ?? normed),
              positions,
              tokens: Int32Array.from(context),
            });
          }
        },
      });
    },
  };
}
