import type { Rope } from '../attention/position/rope-frequencies';
import { attendRow } from './attend';
import { ropeOf, rotateInto } from './rope';
import type {
  ForwardResult,
  ForwardStep,
  LayerWeights,
  ProjectedRows,
  Transformer,
  TransformerConfig,
  TransformerWeights,
} from './types';

export { ropeOf, rotateInto } from './rope';

/** out[rows, outputs] = x[rows, inputs] times weight[outputs, inputs] transposed, plus bias. */
export function linear(
  x: Float32Array,
  rows: number,
  weight: Float32Array,
  inputs: number,
  bias?: Float32Array,
): Float32Array {
  const outputs = weight.length / inputs;
  const out = new Float32Array(rows * outputs);
  const blocked = outputs - (outputs % 4);
  for (let row = 0; row < rows; row++) {
    const from = row * inputs;
    // Four sums at once keep the processor busy; each adds in the order it would alone.
    for (let o = 0; o < blocked; o += 4) {
      const w0 = o * inputs;
      const w1 = w0 + inputs;
      const w2 = w1 + inputs;
      const w3 = w2 + inputs;
      let sum0 = bias?.[o] ?? 0;
      let sum1 = bias?.[o + 1] ?? 0;
      let sum2 = bias?.[o + 2] ?? 0;
      let sum3 = bias?.[o + 3] ?? 0;
      for (let i = 0; i < inputs; i++) {
        const value = x[from + i]!;
        sum0 += value * weight[w0 + i]!;
        sum1 += value * weight[w1 + i]!;
        sum2 += value * weight[w2 + i]!;
        sum3 += value * weight[w3 + i]!;
      }
      const to = row * outputs + o;
      out[to] = sum0;
      out[to + 1] = sum1;
      out[to + 2] = sum2;
      out[to + 3] = sum3;
    }
    for (let o = blocked; o < outputs; o++) {
      let sum = bias?.[o] ?? 0;
      for (let i = 0; i < inputs; i++) sum += x[from + i]! * weight[o * inputs + i]!;
      out[row * outputs + o] = sum;
    }
  }
  return out;
}

/** Root-mean-square norm (Zhang and Sennrich, 2019) of every run of `weight.length` values. */
export function rmsNorm(x: Float32Array, weight: Float32Array, epsilon: number): Float32Array {
  const width = weight.length;
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += x[start + i]! ** 2;
    const factor = 1 / Math.sqrt(squares / width + epsilon);
    for (let i = 0; i < width; i++) out[start + i] = x[start + i]! * factor * weight[i]!;
  }
  return out;
}

function project(
  config: TransformerConfig,
  layer: LayerWeights,
  hidden: Float32Array,
  positions: Int32Array,
  tokens: Int32Array,
): ProjectedRows {
  const rows = positions.length;
  const x = rmsNorm(hidden, layer.attentionNorm, config.normEpsilon);
  let queries = linear(x, rows, layer.q, config.hiddenSize, layer.qBias);
  let keys = linear(x, rows, layer.k, config.hiddenSize, layer.kBias);
  const values = linear(x, rows, layer.v, config.hiddenSize, layer.vBias);
  if (layer.qNorm && layer.kNorm) {
    queries = rmsNorm(queries, layer.qNorm, config.normEpsilon);
    keys = rmsNorm(keys, layer.kNorm, config.normEpsilon);
  }
  return { rows, queries, keys, values, positions, tokens };
}

function attend(
  config: TransformerConfig,
  rope: Rope,
  layer: number,
  projected: ProjectedRows,
  step: ForwardStep,
): Float32Array {
  const { heads, kvHeads, headSize } = config;
  const { rows, queries, positions } = projected;
  const { cache } = step;
  const group = heads / kvHeads;
  const out = new Float32Array(rows * heads * headSize);
  const rotated = new Float32Array(group * headSize);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const shared = cache.perQuery ? undefined : cache.parts(layer, kvHead);
    const seen = shared?.map(
      (part) => new Float32Array(cache.observe ? rows * group * part.count : 0),
    );
    for (let row = 0; row < rows; row++) {
      const position = positions[row]!;
      const index = cache.queryIndex(layer, kvHead, position);
      for (let head = 0; head < group; head++) {
        const at = (row * heads + kvHead * group + head) * headSize;
        rotateInto(queries, at, index, rope, rotated, head * headSize);
      }
      const parts = shared ?? cache.parts(layer, kvHead, { queries: rotated, position });
      const { output, weights } = attendRow(
        rotated,
        group,
        headSize,
        position,
        parts,
        cache.observe !== undefined,
      );
      out.set(output, (row * heads + kvHead * group) * headSize);
      if (cache.observe) {
        weights.forEach((one, part) => {
          if (seen) seen[part]!.set(one, row * one.length);
          else observe(part, parts[part]!.positions, 1, one);
        });
      }
    }
    shared?.forEach((part, index) => {
      if (cache.observe) observe(index, part.positions, rows, seen![index]!);
    });

    function observe(part: number, at: Int32Array, count: number, weights: Float32Array): void {
      cache.observe?.({
        layer,
        kvHead,
        part,
        rows: count,
        count: at.length,
        weights,
        positions: at,
      });
    }
  }
  return out;
}

function addInto(x: Float32Array, y: Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! + y[i]!;
}

function feedForward(layer: LayerWeights, config: TransformerConfig, hidden: Float32Array) {
  const rows = hidden.length / config.hiddenSize;
  const x = rmsNorm(hidden, layer.mlpNorm, config.normEpsilon);
  const gate = linear(x, rows, layer.gate, config.hiddenSize);
  const up = linear(x, rows, layer.up, config.hiddenSize);
  for (let i = 0; i < gate.length; i++) gate[i] = (gate[i]! / (1 + Math.exp(-gate[i]!))) * up[i]!;
  return linear(gate, rows, layer.down, config.intermediateSize);
}

function takeRows(x: Float32Array, width: number, rows: Int32Array): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    out.set(x.subarray(row * width, (row + 1) * width), i * width);
  });
  return out;
}

function checkLayer(name: string, layer: number, low: number, high: number): void {
  if (!(Number.isInteger(layer) && layer >= low && layer <= high)) {
    throw new RangeError(`invalid ${name}: ${layer} (expected ${low}..${high})`);
  }
}

/** @throws RangeError for an empty step, a token outside the vocabulary, a wrong length or layer */
export function checkStep(config: TransformerConfig, step: ForwardStep): void {
  const { tokens, positions, hidden, fromLayer = 0, toLayer = config.layers } = step;
  if (tokens.length === 0) throw new RangeError('invalid tokens: none (expected at least 1)');
  if (positions.length !== tokens.length) {
    throw new RangeError(`invalid positions: ${positions.length} for ${tokens.length} tokens`);
  }
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (!(Number.isInteger(token) && token >= 0 && token < config.vocabularySize)) {
      throw new RangeError(
        `invalid token: ${token} at ${i} (expected 0..${config.vocabularySize - 1})`,
      );
    }
  }
  if (hidden && hidden.length !== tokens.length * config.hiddenSize) {
    throw new RangeError(
      `invalid hidden length: ${hidden.length} (expected ${tokens.length} x ${config.hiddenSize})`,
    );
  }
  checkLayer('fromLayer', fromLayer, 0, config.layers);
  checkLayer('toLayer', toLayer, fromLayer, config.layers);
}

/**
 * The plain reference of the decoder (Touvron et al., 2023): embedding, then per layer RMSNorm,
 * attention with RoPE and GQA over the cache, RMSNorm and SwiGLU, then the head. Every faster engine
 * is compared with it.
 */
export function referenceTransformer(
  config: TransformerConfig,
  weights: TransformerWeights,
): Transformer {
  const rope = ropeOf(config);
  const { hiddenSize } = config;
  return {
    config,
    weights,
    engine: 'reference',
    forward(step): ForwardResult {
      checkStep(config, step);
      let tokens = Int32Array.from(step.tokens);
      let positions = Int32Array.from(step.positions);
      let rows = Int32Array.from(tokens, (_, i) => i);
      let hidden = step.hidden?.slice() ?? takeRows(weights.embedding, hiddenSize, tokens);
      const last = step.toLayer ?? config.layers;
      for (let index = step.fromLayer ?? 0; index < last; index++) {
        const layer = weights.layers[index]!;
        const projected = project(config, layer, hidden, positions, tokens);
        step.hooks?.onProjected?.(index, projected);
        step.cache.append(index, projected);
        const attended = attend(config, rope, index, projected, step);
        addInto(hidden, linear(attended, rows.length, layer.o, config.heads * config.headSize));
        addInto(hidden, feedForward(layer, config, hidden));
        const kept = step.hooks?.onLayerEnd?.(index, hidden, rows.length);
        if (kept) {
          hidden = takeRows(hidden, hiddenSize, kept);
          rows = kept.map((i) => rows[i]!);
          positions = kept.map((i) => positions[i]!);
          tokens = kept.map((i) => tokens[i]!);
        }
      }
      return { logits: headLogits(config, weights, hidden, step.logits ?? 'last'), hidden, rows };
    },
  };
}

function headLogits(
  config: TransformerConfig,
  weights: TransformerWeights,
  hidden: Float32Array,
  which: 'last' | 'all' | 'none',
): Float32Array {
  if (which === 'none' || hidden.length === 0) return new Float32Array(0);
  const used = which === 'all' ? hidden : hidden.subarray(hidden.length - config.hiddenSize);
  const normed = rmsNorm(used, weights.finalNorm, config.normEpsilon);
  const head = weights.head ?? weights.embedding;
  return linear(normed, normed.length / config.hiddenSize, head, config.hiddenSize);
}
