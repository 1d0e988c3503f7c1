import { createRandom, type Random } from '../../random/random';
import { normaliseRows } from './inputs';
import { recurrentReference } from './reference';
import { isDeltaRule, tensorElements } from './rule';
import type { RecurrentInputs, RecurrentShape, StateRule } from './types';

/** How well a state gives back what was written into it; relative L2 errors, 1 is nothing learnt. */
export interface RecallCurve {
  /** Key-value pairs written before every key is read once. */
  readonly pairs: readonly number[];
  readonly errors: readonly number[];
  /** The same with one key written twice: distance of what is read from the second value. */
  readonly overwriteError: number;
  /** What is read then, as so much of the first value and so much of the second; older results lack it. */
  readonly overwriteShares?: OverwriteShares;
}

/** Of the two values that a key was given in turn, how much is in what the key reads. */
export interface OverwriteShares {
  readonly first: number;
  readonly second: number;
}

/** Pairs as shares of the key size: a delta rule can hold as many as there are channels. */
const SHARES = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1, 3 / 2, 2] as const;

/**
 * Writes random unit keys with random values, then reads each key: associative recall without a
 * model. Gates are open (decay 1, write strength 1) and nothing is normalised, so that only the
 * rule itself is seen; RetNet decays by its own schedule.
 */
export function recallCurve(rule: StateRule, keySize: number, seed: number): RecallCurve {
  const read = (keys: Float32Array, values: Float32Array, queries: Float32Array) =>
    readBack(rule, keySize, keySize, keys, values, queries);
  return recallCurveOf(read, keySize, seed);
}

/** Values read for `queries` after `keys` and `values` were written in order. */
export type ReadBack = (
  keys: Float32Array,
  values: Float32Array,
  queries: Float32Array,
) => ArrayLike<number>;

/** The same curve of any memory, keys and values both of `keySize` channels. */
export function recallCurveOf(read: ReadBack, keySize: number, seed: number): RecallCurve {
  const pairs = [...new Set(SHARES.map((share) => Math.max(1, Math.round(share * keySize))))];
  const random = createRandom(seed).fork('recall');
  const unit = (count: number, name: string) => unitRows(random.fork(name), count, keySize);
  const errors = pairs.map((count) => {
    const keys = unit(count, `keys ${count}`);
    const values = unit(count, `values ${count}`);
    return relativeDistance(read(keys, values, keys), values);
  });
  const key = unit(1, 'key');
  const [first, second] = [unit(1, 'first'), unit(1, 'second')];
  const twice = read(joined(key, key), joined(first, second), key);
  return {
    pairs,
    errors,
    overwriteError: relativeDistance(twice, second),
    overwriteShares: sharesOf(twice, first, second),
  };
}

/** Least squares of `answer` on two vectors; the second alone where they are parallel. */
export function sharesOf(
  answer: ArrayLike<number>,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
): OverwriteShares {
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
    return sum;
  };
  const [aa, ab, bb] = [dot(first, first), dot(first, second), dot(second, second)];
  const [ya, yb] = [dot(answer, first), dot(answer, second)];
  const determinant = aa * bb - ab * ab;
  if (determinant <= 1e-9 * aa * bb) return { first: 0, second: bb > 0 ? yb / bb : 0 };
  return {
    first: (ya * bb - yb * ab) / determinant,
    second: (yb * aa - ya * ab) / determinant,
  };
}

/** `count` random vectors of length 1, [count, size]. */
export function unitRows(random: Random, count: number, size: number): Float32Array<ArrayBuffer> {
  return normaliseRows(
    Float32Array.from({ length: count * size }, () => random.normal()),
    size,
  );
}

/**
 * What the state of a rule gives back: keys [pairs, keySize] and values [pairs, valueSize] are
 * written in order with open gates, then queries [asked, keySize] are read and write nothing.
 *
 * @returns [asked, valueSize]
 */
export function readBack(
  rule: StateRule,
  keySize: number,
  valueSize: number,
  keys: Float32Array,
  values: Float32Array,
  queries: Float32Array,
): Float64Array {
  const inputs = openInputs(rule, keySize, valueSize, keys, values, queries);
  return recurrentReference(inputs, plain(rule)).output.subarray(values.length);
}

const plain = (rule: StateRule): StateRule =>
  'normalise' in rule ? { ...rule, normalise: false } : rule;

/**
 * Tokens that write the pairs and then tokens that read the queries, with open gates; reading
 * tokens write nothing, and a delta rule does not erase on them.
 */
export function openInputs(
  rule: StateRule,
  keySize: number,
  valueSize: number,
  keys: Float32Array,
  values: Float32Array,
  queries: Float32Array,
): RecurrentInputs {
  const written = keys.length / keySize;
  const asked = queries.length / keySize;
  const tokens = written + asked;
  const shape: RecurrentShape = { batch: 1, heads: 1, tokens, keySize, valueSize };
  const elements = tensorElements(rule, shape);
  const empty = (count: number) => (count > 0 ? new Float32Array(count) : undefined);
  return {
    shape,
    query: joined(new Float32Array(keys.length), queries),
    key: joined(keys, new Float32Array(queries.length)),
    value: joined(values, new Float32Array(asked * valueSize)),
    decay: empty(elements.decay)?.fill(1),
    writeStrength: isDeltaRule(rule)
      ? Float32Array.from({ length: tokens }, (_, t) => (t < written ? 1 : 0))
      : undefined,
    prefixKey: empty(elements.prefixKey),
    prefixValue: empty(elements.prefixValue),
  };
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** |a - b| / |b|. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    size += (b[i] as number) ** 2;
  }
  return Math.sqrt(difference / size);
}
