import { createRandom, type Random } from '../../random/random';
import { type FastWeightInputs, startFast, updateFast } from './fast-weight-reference';
import { applyFast, type FastSizes, type FastWeights, fastSizes } from './fast-weights';
import { normaliseRows } from './inputs';
import type { ReadBack } from './recall';
import type { FastWeightRule, RecurrentInputs } from './types';

/** Seeded momentum per token is uniform up to this. */
const MOST_MOMENTUM = 0.95;

/** Normal weights whose rows have a length of about 1. */
function makeWeights(random: Random, sizes: FastSizes): FastWeights {
  const { keySize, hiddenSize, valueSize } = sizes;
  const normals = (name: string, rows: number, columns: number) => {
    const stream = random.fork(name);
    return Float64Array.from(
      { length: rows * columns },
      () => stream.normal() / Math.sqrt(columns),
    );
  };
  return {
    w0: normals('w0', hiddenSize, keySize),
    w1: normals('w1', valueSize, hiddenSize),
    w2: normals('w2', hiddenSize, keySize),
  };
}

/** Unit queries and keys, values, rates uniform in (0, learningRate) and momentum in (0, 0.95). */
export function makeFastWeightInputs(
  rule: FastWeightRule,
  { shape, query, key, value }: RecurrentInputs,
  seed: number,
): FastWeightInputs {
  const random = createRandom(seed).fork('fast weights');
  const rows = shape.batch * shape.heads * shape.tokens;
  const [rates, momentum] = [random.fork('rates'), random.fork('momentum')];
  return {
    shape,
    rule,
    query: normaliseRows(query, shape.keySize),
    key: normaliseRows(key, shape.keySize),
    value,
    rates: Float32Array.from({ length: rows * 3 }, () => rule.learningRate * rates.uniform()),
    momentum: Float32Array.from({ length: rows }, () => MOST_MOMENTUM * momentum.uniform()),
    initial: Array.from({ length: shape.heads }, (_, h) =>
      makeWeights(random.fork(`head ${h}`), fastSizes(rule, shape)),
    ),
  };
}

/**
 * Recall by fast weights: the pairs are learnt in chunks at the full rate, the last chunk closed
 * early, and the answers scaled to length 1, as the norm after the layer does: the objective
 * -<f(k), v> asks for a direction only.
 */
export function fastWeightReadBack(rule: FastWeightRule, keySize: number, seed: number): ReadBack {
  const sizes = fastSizes(rule, { keySize, valueSize: keySize });
  const initial = makeWeights(createRandom(seed).fork('fast recall'), sizes);
  return (keys, values, queries) => {
    const tokens = keys.length / keySize;
    const inputs: FastWeightInputs = {
      shape: { batch: 1, heads: 1, tokens, keySize, valueSize: keySize },
      rule,
      query: keys,
      key: keys,
      value: values,
      rates: new Float32Array(tokens * 3).fill(rule.learningRate),
      momentum: new Float32Array(tokens).fill(MOST_MOMENTUM / 2),
      initial: [initial],
    };
    let state = startFast(initial, sizes);
    for (let first = 0; first < tokens; first += rule.chunkTokens) {
      const count = Math.min(rule.chunkTokens, tokens - first);
      state = updateFast(inputs, sizes, state, { first, count });
    }
    return Float64Array.from(
      Array.from({ length: queries.length / keySize }, (_, i) => {
        const answer = applyFast(state.weights, sizes, queries, i * keySize);
        const length = Math.hypot(...answer);
        return [...answer.map((each) => (length > 0 ? each / length : 0))];
      }).flat(),
    );
  };
}
