import { decayAt, hasNormaliser, isDeltaRule, SMALLEST_NORMALISER } from '../recurrent/rule';
import type { RecurrentInputs, StateRule } from '../recurrent/types';
import { CHUNK_TOKENS, type StateChunks, stateChunks } from './state-chunks';
import type { RowProducts, WeightMatrix } from './types';

/**
 * The matrix of one row of batch x heads under a state rule. The output S_t q_t is read backwards:
 * u starts as q_t, token s has the weight beta_s k_s . u, and the step of token s is undone by
 * u <- (I - beta_s k_s k_s^T) diag(decay_s) u. No state is ever kept: a row costs its tokens times
 * the key size. Prepared rows pass whole chunks of tokens by products.
 *
 * Keys are those of the prefix, where the rule has one, and then the tokens.
 */
export function stateMatrix(inputs: RecurrentInputs, rule: StateRule, row: number): WeightMatrix {
  const { tokens, keySize } = inputs.shape;
  const prefix = rule.type === 'prefix-linear' ? rule.prefixTokens : 0;
  const keys = prefix + tokens;
  const isNormalised = hasNormaliser(rule);
  const walk = backwardWalk(inputs, rule, row);
  const u = new Float64Array(keySize);
  const load = (t: number) => {
    const at = (row * tokens + t) * keySize;
    for (let c = 0; c < keySize; c++) u[c] = inputs.query[at + c]!;
  };
  const prepared: PreparedRows = { start: 0, end: 0, weights: new Float32Array(0) };

  /** out / z . q over the whole row, which is what a normaliser sums. */
  const normalise = (t: number, keyStart: number, keyEnd: number, out: Float64Array) => {
    let sum = 0;
    for (let k = 0; k <= prefix + t; k++) sum += out[k]!;
    const scale = sum < SMALLEST_NORMALISER ? 0 : 1 / sum;
    for (let k = keyStart; k < Math.min(keyEnd, prefix + t + 1); k++) out[k] = out[k]! * scale;
  };

  const extent = { first: 0, end: keys };
  return {
    queries: tokens,
    keys,
    isSigned: true,
    extent,
    prepareRows(start, end, products) {
      prepareRows(prepared, { inputs, rule, row, start, end, products, walk, prefix });
    },
    fillRow(t, keyStart, keyEnd, out) {
      out.fill(Number.NaN, keyStart, keyEnd);
      extent.first = keyStart;
      extent.end = Math.max(keyStart, Math.min(keyEnd, prefix + t + 1));
      const first = isNormalised ? 0 : keyStart;
      if (t >= prepared.start && t < prepared.end) {
        const at = (t - prepared.start) * keys;
        const end = isNormalised ? keys : keyEnd;
        out.set(prepared.weights.subarray(at + first, at + Math.min(end, prefix + t + 1)), first);
      } else {
        load(t);
        // A normaliser is the sum of the whole row.
        walk(u, t, Math.max(0, first - prefix), (s, weight) => {
          out[prefix + s] = weight;
        });
        for (let p = first; p < prefix; p++) out[p] = prefixDot(inputs, row * prefix + p, u);
      }
      if (isNormalised) normalise(t, keyStart, keyEnd, out);
    },
  };
}

interface PreparedRows {
  start: number;
  end: number;
  /** [end - start, keys]; before the normaliser. */
  weights: Float32Array;
}

type Walk = (
  u: Float64Array,
  last: number,
  first: number,
  visit: (token: number, weight: number) => void,
) => void;

/** Reads a query back from token `last` to token `first`, which changes it. */
function backwardWalk(inputs: RecurrentInputs, rule: StateRule, row: number): Walk {
  const { tokens, keySize } = inputs.shape;
  const { key, writeStrength } = inputs;
  const isDelta = isDeltaRule(rule);
  const hasDecay = !['additive', 'delta', 'prefix-linear'].includes(rule.type);
  const isPerChannel = rule.type === 'gated';
  return (u, last, first, visit) => {
    const dot = (at: number) => {
      let sum = 0;
      for (let c = 0; c < keySize; c++) sum += key[at * keySize + c]! * u[c]!;
      return sum;
    };
    for (let s = last; s >= first; s--) {
      const at = row * tokens + s;
      const read = dot(at);
      const strength = isDelta ? writeStrength![at]! : 1;
      visit(s, strength * read);
      if (hasDecay) {
        const ofToken = decayAt(inputs, rule, row, s, 0);
        for (let c = 0; c < keySize; c++) {
          u[c] = u[c]! * (isPerChannel ? decayAt(inputs, rule, row, s, c) : ofToken);
        }
      }
      if (!isDelta) continue;
      const erased = strength * (hasDecay ? dot(at) : read);
      for (let c = 0; c < keySize; c++) u[c] = u[c]! - erased * key[at * keySize + c]!;
    }
  };
}

function prefixDot(
  { prefixKey, shape: { keySize } }: RecurrentInputs,
  at: number,
  u: Float64Array,
) {
  let sum = 0;
  for (let c = 0; c < keySize; c++) sum += prefixKey![at * keySize + c]! * u[c]!;
  return sum;
}

interface Preparation {
  readonly inputs: RecurrentInputs;
  readonly rule: StateRule;
  readonly row: number;
  readonly start: number;
  readonly end: number;
  readonly products: RowProducts;
  readonly walk: Walk;
  readonly prefix: number;
}

/** Chunks by the products that keep them: a matrix is prepared with one. */
const chunksOf = new WeakMap<RowProducts, WeakMap<RecurrentInputs, Map<number, StateChunks>>>();

function keptChunks({ inputs, rule, row, products }: Preparation): StateChunks {
  const ofProducts = chunksOf.get(products) ?? new WeakMap();
  chunksOf.set(products, ofProducts);
  const ofInputs: Map<number, StateChunks> = ofProducts.get(inputs) ?? new Map();
  ofProducts.set(inputs, ofInputs);
  const chunks = ofInputs.get(row) ?? stateChunks(inputs, rule, row, products);
  ofInputs.set(row, chunks);
  return chunks;
}

/**
 * Weights of some rows: each walks back to the start of its own chunk alone, then all that are past
 * a chunk go through it together.
 */
function prepareRows(to: PreparedRows, preparation: Preparation): void {
  const { inputs, row, start, end, products, walk, prefix } = preparation;
  const { tokens, keySize } = inputs.shape;
  to.start = start;
  to.end = end;
  const count = end - start;
  if (count <= 0) return;
  const keys = prefix + tokens;
  if (to.weights.length < count * keys) to.weights = new Float32Array(count * keys);
  const { weights } = to;
  const chunks = keptChunks(preparation);
  const queries = new Float32Array(count * keySize);
  const u = new Float64Array(keySize);
  const own = Array.from({ length: count }, (_, i) => Math.floor((start + i) / CHUNK_TOKENS));
  for (let i = 0; i < count; i++) {
    const t = start + i;
    const at = (row * tokens + t) * keySize;
    for (let c = 0; c < keySize; c++) u[c] = inputs.query[at + c]!;
    walk(u, t, own[i]! * CHUNK_TOKENS, (s, weight) => {
      weights[i * keys + prefix + s] = weight;
    });
    queries.set(u, i * keySize);
  }
  for (let index = own[count - 1]! - 1; index >= 0; index--) {
    // Rows are in order, so that those of later chunks are the last ones.
    const first = own.findIndex((each) => each > index);
    const part = queries.subarray(first * keySize);
    passChunk(chunks, index, part, count - first, products, (i, values, scale) => {
      const at = (first + i) * keys + prefix + index * CHUNK_TOKENS;
      for (let s = 0; s < scale.length; s++) weights[at + s] = scale[s]! * values[s]!;
    });
  }
  if (chunks.prefix === undefined) return;
  const read = products.multiply(queries, count, chunks.prefix);
  for (let i = 0; i < count; i++) {
    const at = i * chunks.prefix.stride;
    weights.set(read.subarray(at, at + prefix), i * keys);
  }
}

let scratch = new Float32Array(0);

/** Room for some numbers until the next call. */
function scratchOf(length: number): Float32Array {
  if (scratch.length < length) scratch = new Float32Array(length);
  return scratch.subarray(0, length);
}

/** Queries [count, keySize] read back through a chunk, in place. */
function passChunk(
  chunks: StateChunks,
  index: number,
  queries: Float32Array,
  count: number,
  products: RowProducts,
  visit: (row: number, reads: Float32Array, scale: Float64Array) => void,
): void {
  const { reads, scale, erases, decay } = chunks.at(index);
  const read = products.multiply(queries, count, reads);
  const width = reads.stride;
  const tokens = reads.count;
  const kept = erases === undefined ? undefined : scratchOf(count * tokens);
  for (let i = 0; i < count; i++) {
    const ofRow = read.subarray(i * width, (i + 1) * width);
    visit(i, ofRow, scale);
    kept?.set(ofRow.subarray(0, tokens), i * tokens);
  }
  const { size } = reads;
  if (decay !== undefined) {
    for (let i = 0; i < count; i++) {
      for (let c = 0; c < size; c++) queries[i * size + c] = queries[i * size + c]! * decay[c]!;
    }
  }
  if (erases === undefined || kept === undefined) return;
  const erased = products.multiply(kept, count, erases);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < size; c++) {
      queries[i * size + c] = queries[i * size + c]! + erased[i * erases.stride + c]!;
    }
  }
}
