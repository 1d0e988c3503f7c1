import { runSteps, STEP_PRODUCTS } from '../steps';
import {
  addAscent,
  applyFast,
  columnsOf,
  type FastSizes,
  type FastWeights,
  fastElements,
  fastSizes,
  MATRICES,
  rowNorms,
  stepRows,
  zeroWeights,
} from './fast-weights';
import { newtonSchulz } from './newton-schulz';
import type { FastWeightRule, RecurrentShape } from './types';

/** Inputs of test-time training; rows are batch x heads. */
export interface FastWeightInputs {
  readonly shape: RecurrentShape;
  readonly rule: FastWeightRule;
  /** Unit vectors [batch, heads, tokens, keySize]. */
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** Learning rates of w0, w1 and w2 per token, [batch, heads, tokens, 3]. */
  readonly rates: Float32Array;
  /** Momentum per token in [0, 1), [batch, heads, tokens]; a chunk takes its mean. */
  readonly momentum: Float32Array;
  /** Weights before the first token, per head. */
  readonly initial: readonly FastWeights[];
}

/** Weights of one head between chunks, with what its update needs. */
export interface FastState {
  readonly weights: FastWeights;
  /** The update before, for the momentum. */
  readonly previous: FastWeights;
  readonly norms: Readonly<Record<(typeof MATRICES)[number], Float64Array>>;
}

export function startFast(initial: FastWeights, sizes: FastSizes): FastState {
  const norms = (name: (typeof MATRICES)[number]) =>
    rowNorms(initial[name], columnsOf(name, sizes));
  return {
    weights: initial,
    previous: zeroWeights(sizes),
    norms: { w0: norms('w0'), w1: norms('w1'), w2: norms('w2') },
  };
}

/** Tokens [first, first + count), counted over all rows of batch x heads. */
interface TokenRange {
  readonly first: number;
  readonly count: number;
}

/**
 * Weights after a chunk: the sum of its pairs' ascents at the weights before it, momentum x the
 * update before added where asked, orthogonalised where asked, then rows back to their first norms.
 */
export function updateFast(
  inputs: FastWeightInputs,
  sizes: FastSizes,
  state: FastState,
  { first, count }: TokenRange,
): FastState {
  const { rule, key, value, rates, momentum } = inputs;
  const { keySize, valueSize } = sizes;
  const sum = zeroWeights(sizes);
  let meanMomentum = 0;
  for (let t = first; t < first + count; t++) {
    const pair = {
      key: key.subarray(t * keySize, (t + 1) * keySize),
      value: value.subarray(t * valueSize, (t + 1) * valueSize),
    };
    addAscent(sum, state.weights, sizes, pair, rates.subarray(t * 3, (t + 1) * 3));
    meanMomentum += momentum[t]! / count;
  }
  const update = rule.hasMomentum
    ? mapWeights((name) => sum[name].map((g, i) => g + meanMomentum * state.previous[name][i]!))
    : sum;
  const weights = mapWeights((name) => {
    const columns = columnsOf(name, sizes);
    const rows = update[name].length / columns;
    const step =
      rule.muonSteps > 0 ? newtonSchulz(update[name], rows, columns, rule.muonSteps) : update[name];
    return stepRows(state.weights[name], step, columns, state.norms[name]);
  });
  return { weights, previous: update, norms: state.norms };
}

function mapWeights(
  of: (name: (typeof MATRICES)[number]) => Float64Array<ArrayBuffer>,
): FastWeights {
  return { w0: of('w0'), w1: of('w1'), w2: of('w2') };
}

/** How well the weights fit a chunk: mean cosine of f(k) and v over its pairs. */
export interface ChunkFit {
  readonly before: number;
  readonly after: number;
}

/**
 * Large-chunk test-time training in f64 (Zhang et al. 2025, LaCT): the outputs of a chunk are read
 * from the weights before it, and only then the chunk is learnt. Tokens after the last whole chunk
 * are read and wait.
 *
 * @returns output [batch, heads, tokens, valueSize]; the last weights [batch, heads, w0 w1 w2]; the
 * fit of every learnt chunk of row 0
 */
export function fastWeightReference(inputs: FastWeightInputs): FastWeightOutput {
  return runSteps(fastWeightReferenceSteps(inputs));
}

export interface FastWeightOutput {
  readonly output: Float64Array;
  readonly state: Float64Array;
  readonly fits: readonly ChunkFit[];
}

/** `fastWeightReference` in slices: yields the share done, at least once per chunk. */
export function* fastWeightReferenceSteps(
  inputs: FastWeightInputs,
): Generator<number, FastWeightOutput> {
  const { shape, rule } = inputs;
  const { batch, heads, tokens, keySize, valueSize } = shape;
  const sizes = fastSizes(rule, shape);
  const output = new Float64Array(batch * heads * tokens * valueSize);
  const last = new Float64Array(batch * heads * fastElements(sizes));
  const fits: ChunkFit[] = [];
  const tokensPerStep = Math.max(1, Math.floor(STEP_PRODUCTS / fastElements(sizes)));
  for (let row = 0; row < batch * heads; row++) {
    let state = startFast(inputs.initial[row % heads]!, sizes);
    for (let start = 0; start < tokens; start += rule.chunkTokens) {
      const range = {
        first: row * tokens + start,
        count: Math.min(rule.chunkTokens, tokens - start),
      };
      for (let t = range.first; t < range.first + range.count; t++) {
        if (t % tokensPerStep === tokensPerStep - 1) yield t / (batch * heads * tokens);
        output.set(applyFast(state.weights, sizes, inputs.query, t * keySize), t * valueSize);
      }
      if (range.count < rule.chunkTokens) break;
      yield range.first / (batch * heads * tokens);
      const before = row === 0 ? meanCosine(inputs, sizes, state.weights, range) : 0;
      state = updateFast(inputs, sizes, state, range);
      if (row === 0) fits.push({ before, after: meanCosine(inputs, sizes, state.weights, range) });
    }
    let at = row * fastElements(sizes);
    for (const name of MATRICES) {
      last.set(state.weights[name], at);
      at += state.weights[name].length;
    }
  }
  return { output, state: last, fits };
}

function meanCosine(
  { key, value }: FastWeightInputs,
  sizes: FastSizes,
  weights: FastWeights,
  { first, count }: TokenRange,
): number {
  let sum = 0;
  for (let t = first; t < first + count; t++) {
    const answer = applyFast(weights, sizes, key, t * sizes.keySize);
    const wanted = value.subarray(t * sizes.valueSize, (t + 1) * sizes.valueSize);
    const dot = answer.reduce((total, each, r) => total + each * wanted[r]!, 0);
    const lengths = Math.hypot(...answer) * Math.hypot(...wanted);
    sum += lengths > 0 ? dot / lengths / count : 0;
  }
  return sum;
}
