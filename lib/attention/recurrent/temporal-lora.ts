import { createRandom, type Random } from '../../random/random';
import { runSteps } from '../steps';
import type { ChunkFit, FastWeightOutput } from './fast-weight-reference';
import { normaliseRows } from './inputs';
import type { ReadBack } from './recall';
import type { RecurrentInputs, RecurrentShape, TemporalLoraRule } from './types';

/** One head's f(x) = w x + b (a x): slow weights w that stay, and a low-rank update that learns. */
export interface LoraWeights {
  /** [valueSize, keySize]. */
  readonly slow: Float64Array;
  /** [rank, keySize]. */
  readonly a: Float64Array;
  /** [valueSize, rank]; 0 before anything is learnt. */
  readonly b: Float64Array;
}

export interface LoraSizes {
  readonly keySize: number;
  readonly valueSize: number;
  readonly rank: number;
}

/** Inputs of a low-rank memory; rows are batch x heads. */
export interface TemporalLoraInputs {
  readonly shape: RecurrentShape;
  readonly rule: TemporalLoraRule;
  /** Unit vectors [batch, heads, tokens, keySize]. */
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** Weights before the first token, per head. */
  readonly initial: readonly LoraWeights[];
}

/** Key-value pairs that are learnt together: keys [count, keySize], values [count, valueSize]. */
export interface LoraPairs {
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

export function loraSizes(
  { rank }: Pick<TemporalLoraRule, 'rank'>,
  { keySize, valueSize }: Pick<RecurrentShape, 'keySize' | 'valueSize'>,
): LoraSizes {
  return { keySize, valueSize, rank };
}

/** Elements of one head's low-rank update. */
export const loraElements = ({ keySize, valueSize, rank }: LoraSizes): number =>
  rank * (keySize + valueSize);

function makeWeights(random: Random, { keySize, valueSize, rank }: LoraSizes): LoraWeights {
  const normals = (name: string, rows: number) => {
    const stream = random.fork(name);
    return Float64Array.from(
      { length: rows * keySize },
      () => stream.normal() / Math.sqrt(keySize),
    );
  };
  return {
    slow: normals('slow', valueSize),
    a: normals('a', rank),
    b: new Float64Array(valueSize * rank),
  };
}

/** Unit queries and keys; weights per head whose rows have a length of about 1. */
export function makeTemporalLoraInputs(
  rule: TemporalLoraRule,
  { shape, query, key, value }: RecurrentInputs,
  seed: number,
): TemporalLoraInputs {
  const random = createRandom(seed).fork('temporal lora');
  return {
    shape,
    rule,
    query: normaliseRows(query, shape.keySize),
    key: normaliseRows(key, shape.keySize),
    value,
    initial: Array.from({ length: shape.heads }, (_, h) =>
      makeWeights(random.fork(`head ${h}`), loraSizes(rule, shape)),
    ),
  };
}

/** Product of a matrix [rows, columns] and the vector at `at` of a tensor. */
function times(
  matrix: Float64Array,
  rows: number,
  columns: number,
  x: ArrayLike<number>,
  at: number,
): Float64Array {
  const product = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += matrix[r * columns + c]! * x[at + c]!;
    product[r] = sum;
  }
  return product;
}

/** f of the vector at `at` of a tensor. */
export function applyLora(
  { slow, a, b }: LoraWeights,
  { keySize, valueSize, rank }: LoraSizes,
  tensor: ArrayLike<number>,
  at: number,
): Float64Array {
  const learnt = times(b, valueSize, rank, times(a, rank, keySize, tensor, at), 0);
  return times(slow, valueSize, keySize, tensor, at).map((each, r) => each + learnt[r]!);
}

/** Gradients of the mean over the pairs of |v - f(k)|^2 / 2, and its value. */
export function loraGradients(
  weights: LoraWeights,
  sizes: LoraSizes,
  { keys, values }: LoraPairs,
): { readonly a: Float64Array; readonly b: Float64Array; readonly loss: number } {
  const { keySize, valueSize, rank } = sizes;
  const count = keys.length / keySize;
  const a = new Float64Array(rank * keySize);
  const b = new Float64Array(valueSize * rank);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const inner = times(weights.a, rank, keySize, keys, i * keySize);
    const error = applyLora(weights, sizes, keys, i * keySize).map(
      (each, r) => (each - values[i * valueSize + r]!) / count,
    );
    const back = new Float64Array(rank);
    for (let r = 0; r < valueSize; r++) {
      loss += (count * error[r]! * error[r]!) / 2;
      for (let j = 0; j < rank; j++) {
        b[r * rank + j]! += error[r]! * inner[j]!;
        back[j]! += weights.b[r * rank + j]! * error[r]!;
      }
    }
    for (let j = 0; j < rank; j++) {
      for (let c = 0; c < keySize; c++) a[j * keySize + c]! += back[j]! * keys[i * keySize + c]!;
    }
  }
  return { a, b, loss };
}

/**
 * The weights after some gradient steps over the pairs. Each factor's step is `learningRate` over
 * the square of what multiplies it, so that a rate below 1 neither grows nor depends on sizes; the
 * paper trains with an optimiser of its own.
 */
export function learnPairs(
  weights: LoraWeights,
  sizes: LoraSizes,
  pairs: LoraPairs,
  { steps, learningRate }: Pick<TemporalLoraRule, 'steps' | 'learningRate'>,
): LoraWeights {
  const { keySize, rank } = sizes;
  const count = pairs.keys.length / keySize;
  let { a, b } = weights;
  for (let step = 0; step < steps; step++) {
    const gradients = loraGradients({ ...weights, a, b }, sizes, pairs);
    let inner = 0;
    for (let i = 0; i < count; i++) {
      inner += squares(times(a, rank, keySize, pairs.keys, i * keySize)) / count;
    }
    const outer = (squares(b) * squares(pairs.keys)) / count;
    const moved = (factor: Float64Array, gradient: Float64Array, size: number) =>
      size > 0 ? factor.map((each, i) => each - (learningRate * gradient[i]!) / size) : factor;
    [a, b] = [moved(a, gradients.a, outer), moved(b, gradients.b, inner)];
  }
  return { ...weights, a, b };
}

const squares = (values: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
};

/**
 * A low-rank update learnt while generating (temporal LoRA; Hong et al. 2024, SlowFast-VGen), in
 * f64: a chunk is read with what earlier chunks taught, and only then learnt. Tokens after the last
 * whole chunk are read and wait.
 *
 * @returns output [batch, heads, tokens, valueSize]; the last update [batch, heads, a b]; the fit of
 * every learnt chunk of row 0
 */
export function temporalLoraReference(inputs: TemporalLoraInputs): FastWeightOutput {
  return runSteps(temporalLoraReferenceSteps(inputs));
}

/** `temporalLoraReference` in slices: yields the share done, once per chunk. */
export function* temporalLoraReferenceSteps(
  inputs: TemporalLoraInputs,
): Generator<number, FastWeightOutput> {
  const { shape, rule, query, key, value } = inputs;
  const { batch, heads, tokens, keySize, valueSize } = shape;
  const sizes = loraSizes(rule, shape);
  const output = new Float64Array(batch * heads * tokens * valueSize);
  const state = new Float64Array(batch * heads * loraElements(sizes));
  const fits: ChunkFit[] = [];
  for (let row = 0; row < batch * heads; row++) {
    let weights = inputs.initial[row % heads]!;
    for (let start = 0; start < tokens; start += rule.chunkTokens) {
      const [first, end] = [
        row * tokens + start,
        row * tokens + Math.min(tokens, start + rule.chunkTokens),
      ];
      for (let t = first; t < end; t++) {
        output.set(applyLora(weights, sizes, query, t * keySize), t * valueSize);
      }
      if (end - first < rule.chunkTokens) break;
      yield first / (batch * heads * tokens);
      const pairs = {
        keys: key.subarray(first * keySize, end * keySize),
        values: value.subarray(first * valueSize, end * valueSize),
      };
      const before = row === 0 ? meanCosine(weights, sizes, pairs) : 0;
      weights = learnPairs(weights, sizes, pairs, rule);
      if (row === 0) fits.push({ before, after: meanCosine(weights, sizes, pairs) });
    }
    const at = row * loraElements(sizes);
    state.set(weights.a, at);
    state.set(weights.b, at + weights.a.length);
  }
  return { output, state, fits };
}

function meanCosine(weights: LoraWeights, sizes: LoraSizes, { keys, values }: LoraPairs): number {
  const count = keys.length / sizes.keySize;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const answer = applyLora(weights, sizes, keys, i * sizes.keySize);
    const wanted = values.subarray(i * sizes.valueSize, (i + 1) * sizes.valueSize);
    const dot = answer.reduce((total, each, r) => total + each * wanted[r]!, 0);
    const lengths = Math.sqrt(squares(answer) * squares(wanted));
    sum += lengths > 0 ? dot / lengths / count : 0;
  }
  return sum;
}

/** Recall by the low-rank update alone, slow weights 0: the pairs are learnt in chunks, the last one closed early. */
export function loraReadBack(rule: TemporalLoraRule, keySize: number, seed: number): ReadBack {
  const sizes = loraSizes(rule, { keySize, valueSize: keySize });
  const made = makeWeights(createRandom(seed).fork('lora recall'), sizes);
  const initial = { ...made, slow: new Float64Array(made.slow.length) };
  return (keys, values, queries) => {
    const step = rule.chunkTokens * keySize;
    let weights: LoraWeights = initial;
    for (let at = 0; at < keys.length; at += step) {
      const pairs = { keys: keys.subarray(at, at + step), values: values.subarray(at, at + step) };
      weights = learnPairs(weights, sizes, pairs, rule);
    }
    return Float64Array.from(
      Array.from({ length: queries.length / keySize }, (_, i) => [
        ...applyLora(weights, sizes, queries, i * keySize),
      ]).flat(),
    );
  };
}
