import { checkStep } from '../transformer/reference';
import type {
  ForwardResult,
  ForwardStep,
  ProjectedRows,
  Transformer,
  TransformerConfig,
  TransformerWeights,
} from '../transformer/types';
import { createArena } from './arena';
import { createLayerAttention } from './transformer-attention';
import { instantiateTransformer } from './transformer-kernel';
import { type PackedMatrix, packWeights, strideOf } from './transformer-weights';

/** Rows whose logits are computed at once. */
const LOGIT_ROWS = 64;
/** Rows of a register tile. */
const TILE_ROWS = 4;

/**
 * The decoder of `referenceTransformer` in WebAssembly SIMD, f32, on one thread. Weights are copied
 * into its memory once. A cache or hook may call `forward` again from within a call.
 *
 * @throws RangeError where a tensor's length is not as the configuration says, Error with a sentence
 *   where the memory cannot be had
 */
export function createWasmTransformer(
  config: TransformerConfig,
  weights: TransformerWeights,
): Transformer {
  const arena = createArena('the model');
  const kernel = instantiateTransformer(arena.memory);
  const packed = packWeights(arena, config, weights);
  const attention = createLayerAttention(arena, kernel, config);
  const { hiddenSize, headSize, kvHeads, normEpsilon, vocabularySize } = config;
  const queryWidth = config.heads * headSize;
  const kvWidth = kvHeads * headSize;
  const stride = {
    hidden: strideOf(hiddenSize),
    query: strideOf(queryWidth),
    kv: strideOf(kvWidth),
    intermediate: strideOf(config.intermediateSize),
    vocabulary: strideOf(vocabularySize),
  };

  function placeRows(count: number) {
    const rows = TILE_ROWS * Math.ceil(count / TILE_ROWS);
    const place = (width: number) => arena.place(4 * rows * width);
    return {
      residual: place(stride.hidden),
      normed: place(stride.hidden),
      packed: place(Math.max(stride.hidden, stride.query, stride.intermediate)),
      queries: place(stride.query),
      keys: place(stride.kv),
      values: place(stride.kv),
      attended: place(stride.query),
      gate: place(stride.intermediate),
      up: place(stride.intermediate),
    };
  }
  type Places = ReturnType<typeof placeRows>;

  /** Rows as the products take them: a single one as it is, more interleaved by four. */
  function prepared(at: Places, x: number, rows: number, width: number): number {
    if (rows === 1) return x;
    kernel.packQueries(x, at.packed, rows, width);
    return at.packed;
  }

  function linear(
    matrix: PackedMatrix,
    x: number,
    rows: number,
    width: number,
    out: number,
    adds = false,
  ): void {
    const { weight, bias, inputs, panels } = matrix;
    const added = adds ? 1 : 0;
    if (rows === 1) kernel.linearRow(x, weight, bias, out, inputs, panels, added);
    else {
      const padded = TILE_ROWS * Math.ceil(rows / TILE_ROWS);
      kernel.linearRows(x, weight, bias, out, padded, width, inputs, panels, added);
    }
  }

  function norm(x: number, out: number, weight: number, rows: number): void {
    kernel.normRuns(x, out, weight, rows, 4 * stride.hidden, hiddenSize, normEpsilon);
  }

  function normHeads(x: number, weight: number, rows: number, width: number): void {
    const rowBytes = 4 * strideOf(width);
    for (let row = 0; row < rows; row++) {
      const start = x + row * rowBytes;
      kernel.normRuns(start, start, weight, width / headSize, 4 * headSize, headSize, normEpsilon);
    }
  }

  /** Rows out of the memory, without what pads them. */
  function takeRows(start: number, rows: number, width: number): Float32Array<ArrayBuffer> {
    const rowStride = strideOf(width);
    const floats = arena.floats();
    const first = start / 4;
    if (rowStride === width) return floats.slice(first, first + rows * width);
    const out = new Float32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const at = first + row * rowStride;
      out.set(floats.subarray(at, at + width), row * width);
    }
    return out;
  }

  /** Row `i` of `to` becomes row `rows[i]` of `from`. */
  function putRows(from: Float32Array, rows: ArrayLike<number>, to: number): void {
    const floats = arena.floats();
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]! * hiddenSize;
      floats.set(from.subarray(row, row + hiddenSize), to / 4 + i * stride.hidden);
    }
  }

  function project(
    at: Places,
    index: number,
    positions: Int32Array,
    tokens: Int32Array,
  ): ProjectedRows {
    const layer = packed.layers[index]!;
    const rows = tokens.length;
    norm(at.residual, at.normed, layer.attentionNorm, rows);
    const x = prepared(at, at.normed, rows, stride.hidden);
    linear(layer.q, x, rows, stride.hidden, at.queries);
    linear(layer.k, x, rows, stride.hidden, at.keys);
    linear(layer.v, x, rows, stride.hidden, at.values);
    if (layer.qNorm !== undefined && layer.kNorm !== undefined) {
      normHeads(at.queries, layer.qNorm, rows, queryWidth);
      normHeads(at.keys, layer.kNorm, rows, kvWidth);
    }
    return {
      rows,
      queries: takeRows(at.queries, rows, queryWidth),
      keys: takeRows(at.keys, rows, kvWidth),
      values: takeRows(at.values, rows, kvWidth),
      positions,
      tokens,
    };
  }

  function finishLayer(at: Places, index: number, rows: number): void {
    const layer = packed.layers[index]!;
    const attended = prepared(at, at.attended, rows, stride.query);
    linear(layer.o, attended, rows, stride.query, at.residual, true);
    norm(at.residual, at.normed, layer.mlpNorm, rows);
    const x = prepared(at, at.normed, rows, stride.hidden);
    linear(layer.gate, x, rows, stride.hidden, at.gate);
    linear(layer.up, x, rows, stride.hidden, at.up);
    kernel.gateWithSilu(at.gate, at.up, rows * stride.intermediate);
    const gated = prepared(at, at.gate, rows, stride.intermediate);
    linear(layer.down, gated, rows, stride.intermediate, at.residual, true);
  }

  function logitsOf(at: Places, rows: number, which: 'last' | 'all' | 'none'): Float32Array {
    if (which === 'none' || rows === 0) return new Float32Array(0);
    const first = which === 'all' ? 0 : rows - 1;
    const out = new Float32Array((rows - first) * vocabularySize);
    const results = arena.place(4 * Math.min(LOGIT_ROWS, rows + TILE_ROWS) * stride.vocabulary);
    for (let row = first; row < rows; row += LOGIT_ROWS) {
      const count = Math.min(LOGIT_ROWS, rows - row);
      norm(at.residual + 4 * row * stride.hidden, at.normed, packed.finalNorm, count);
      const x = prepared(at, at.normed, count, stride.hidden);
      linear(packed.head, x, count, stride.hidden, results);
      out.set(takeRows(results, count, vocabularySize), (row - first) * vocabularySize);
    }
    return out;
  }

  function run(step: ForwardStep): ForwardResult {
    let tokens: Int32Array = Int32Array.from(step.tokens);
    let positions: Int32Array = Int32Array.from(step.positions);
    let rows: Int32Array = Int32Array.from(tokens, (_, i) => i);
    const at = placeRows(tokens.length);
    if (step.hidden) putRows(step.hidden, rows, at.residual);
    else putRows(weights.embedding, tokens, at.residual);
    const last = step.toLayer ?? config.layers;
    for (let index = step.fromLayer ?? 0; index < last; index++) {
      const projected = project(at, index, positions, tokens);
      step.hooks?.onProjected?.(index, projected);
      step.cache.append(index, projected);
      attention.attend(index, projected, step.cache, at.attended, 4 * stride.query);
      finishLayer(at, index, rows.length);
      if (step.hooks?.onLayerEnd === undefined) continue;
      const hidden = takeRows(at.residual, rows.length, hiddenSize);
      const kept = step.hooks.onLayerEnd(index, hidden, rows.length);
      // A hook may have written into the residual stream.
      putRows(hidden, kept ?? rows.map((_, i) => i), at.residual);
      if (kept) {
        const before = { rows, positions, tokens };
        rows = kept.map((i) => before.rows[i]!);
        positions = kept.map((i) => before.positions[i]!);
        tokens = kept.map((i) => before.tokens[i]!);
      }
    }
    const hidden = takeRows(at.residual, rows.length, hiddenSize);
    return { logits: logitsOf(at, rows.length, step.logits ?? 'last'), hidden, rows };
  }

  return {
    config,
    weights,
    engine: 'wasm',
    forward(step) {
      checkStep(config, step);
      const mark = arena.end;
      try {
        return run(step);
      } finally {
        arena.release(mark);
      }
    },
  };
}
