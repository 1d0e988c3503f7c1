import { rmsNorm } from '../../transformer/reference';
import type { Transformer } from '../../transformer/types';
import { createRowCache } from '../rows/row-cache';
import { applyMap, explainedVariance, fitRidge, type LinearMap } from './ridge';

/** What the keys and values of the upper layers are made from. */
export type PredictionSource =
  /** SwiftKV: the normalised residual stream at the entry of the first layer that is skipped. */
  | 'hidden'
  /** KV prediction: the keys and the values of a lower layer, each by a map of its own. */
  | 'keys and values';

/** The maps of one upper layer. */
export interface LayerPrediction {
  readonly layer: number;
  /** Lower layer that it reads, for `keys and values`. */
  readonly from: number;
  readonly keys: LinearMap;
  readonly values: LinearMap;
  /** Explained variance on the sample contexts. */
  readonly keysExplained: number;
  readonly valuesExplained: number;
}

export interface KvPredictor {
  readonly source: PredictionSource;
  /** Layers that run; the ones from here on are predicted. */
  readonly runLayers: number;
  readonly layers: readonly LayerPrediction[];
}

export interface FitOptions {
  readonly source: PredictionSource;
  readonly runLayers: number;
  /** Penalty of the fit, in units of the mean squared input. */
  readonly ridge?: number;
}

/** Inputs and projections of every layer over some texts, rows one after another. */
interface Recorded {
  readonly rows: number;
  /** Normalised as the layer's own projections read it, [rows, hiddenSize]. */
  readonly hidden: Float32Array;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

/**
 * Fits the maps in closed form on sample contexts. The papers train theirs (SwiftKV by distillation,
 * KV prediction by the losses of both models); this is the mechanism without the training.
 *
 * A lower layer serves the upper ones in order, evenly: of four layers with two run, 0 makes 2 and 1
 * makes 3.
 *
 * @throws RangeError without samples, or where no layer would run or none be predicted
 */
export function fitPredictor(
  model: Transformer,
  samples: readonly (readonly number[])[],
  { source, runLayers, ridge = 1e-3 }: FitOptions,
): KvPredictor {
  const { layers } = model.config;
  if (!(Number.isInteger(runLayers) && runLayers >= 1 && runLayers <= layers)) {
    throw new RangeError(`invalid runLayers: ${runLayers} (expected 1..${layers})`);
  }
  if (samples.length === 0) throw new RangeError('invalid samples: none (expected a text)');
  const { rows, hidden, keys, values } = record(model, samples, runLayers);
  const predicted: LayerPrediction[] = [];
  for (let layer = runLayers; layer < layers; layer++) {
    const from = Math.floor(((layer - runLayers) * runLayers) / (layers - runLayers));
    const inputs =
      source === 'hidden'
        ? { keys: hidden, values: hidden }
        : { keys: keys[from]!, values: values[from]! };
    const keyMap = fitRidge(inputs.keys, keys[layer]!, rows, ridge);
    const valueMap = fitRidge(inputs.values, values[layer]!, rows, ridge);
    predicted.push({
      layer,
      from,
      keys: keyMap,
      values: valueMap,
      keysExplained: explainedVariance(keys[layer]!, applyMap(keyMap, inputs.keys), rows),
      valuesExplained: explainedVariance(values[layer]!, applyMap(valueMap, inputs.values), rows),
    });
  }
  return { source, runLayers, layers: predicted };
}

function record(
  model: Transformer,
  samples: readonly (readonly number[])[],
  runLayers: number,
): Recorded {
  const { layers, hiddenSize } = model.config;
  const hidden: Float32Array[] = [];
  const keys: Float32Array[][] = Array.from({ length: layers }, () => []);
  const values: Float32Array[][] = Array.from({ length: layers }, () => []);
  let rows = 0;
  for (const tokens of samples) {
    rows += tokens.length;
    model.forward({
      tokens,
      positions: tokens.map((_, i) => i),
      cache: createRowCache(model.config),
      logits: 'none',
      hooks: {
        onProjected(layer, projected) {
          keys[layer]!.push(projected.keys.slice());
          values[layer]!.push(projected.values.slice());
        },
        onLayerEnd(layer, stream, count) {
          if (layer === runLayers - 1) {
            hidden.push(normedAt(model, stream.slice(0, count * hiddenSize), runLayers));
          }
          return undefined;
        },
      },
    });
  }
  return {
    rows,
    hidden: joined(hidden),
    keys: keys.map(joined),
    values: values.map(joined),
  };
}

/** The residual stream as the projections of a layer read it; of the last norm behind the last layer. */
export function normedAt(model: Transformer, hidden: Float32Array, layer: number): Float32Array {
  const { layers, finalNorm } = model.weights;
  return rmsNorm(hidden, layers[layer]?.attentionNorm ?? finalNorm, model.config.normEpsilon);
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    out.set(array, at);
    at += array.length;
  }
  return out;
}
