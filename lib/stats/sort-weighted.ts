import type { Weighted } from './percentiles';

/** A piece of so many is sorted by insertion; a larger one by the library. */
const SMALL = 24;

const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);
/** Of a positive number, whose bits ascend with it, the word that tells the most. */
const HIGH = ((): 0 | 1 => {
  bits[0] = 1;
  return words[1] === 0 ? 0 : 1;
})();

/**
 * Sorts and merges equal values. Where all are positive they are dealt into pieces by their leading
 * bits first, so that the time is linear unless nearly all lie within a few of them.
 */
export function sortWeighted(values: Float64Array, weights: Float64Array): Weighted {
  const order = orderOf(values);
  const count = order.length;
  const outValues = new Float64Array(count);
  const outWeights = new Float64Array(count);
  let distinct = 0;
  for (let i = 0; i < count; i++) {
    const at = order[i] as number;
    const value = values[at] as number;
    if (distinct === 0 || outValues[distinct - 1] !== value) outValues[distinct++] = value;
    outWeights[distinct - 1] = (outWeights[distinct - 1] as number) + (weights[at] as number);
  }
  return { values: outValues.slice(0, distinct), weights: outWeights.slice(0, distinct) };
}

function byComparison(order: Uint32Array, values: Float64Array): Uint32Array {
  return order.sort((a, b) => (values[a] as number) - (values[b] as number));
}

/** Places of the values in ascending order. */
function orderOf(values: Float64Array): Uint32Array {
  const count = values.length;
  let least = Infinity;
  let largest = -Infinity;
  let isPositive = true;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    if (!(value > 0)) isPositive = false;
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  if (count <= SMALL || !isPositive) return byComparison(Uint32Array.from(values.keys()), values);
  return dealt(values, least, largest);
}

function dealt(values: Float64Array, least: number, largest: number): Uint32Array {
  const count = values.length;
  const pieces = 2 ** Math.ceil(Math.log2(count));
  const scale = largest > least ? (pieces - 1) / (logOf(largest) - logOf(least)) : 0;
  const low = logOf(least);
  const ends = new Uint32Array(pieces + 1);
  const pieceOf = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const piece = Math.floor((logOf(values[i] as number) - low) * scale);
    pieceOf[i] = piece;
    ends[piece + 1] = (ends[piece + 1] as number) + 1;
  }
  for (let p = 0; p < pieces; p++) ends[p + 1] = (ends[p + 1] as number) + (ends[p] as number);
  const order = new Uint32Array(count);
  const next = ends.slice(0, pieces);
  for (let i = 0; i < count; i++) {
    const piece = pieceOf[i] as number;
    const at = next[piece] as number;
    order[at] = i;
    next[piece] = at + 1;
  }
  for (let p = 0; p < pieces; p++)
    sortPiece(order, values, ends[p] as number, ends[p + 1] as number);
  return order;
}

/** A straight line through the logarithm at every power of two: ascending, and one load of the bits. */
function logOf(value: number): number {
  bits[0] = value;
  return (words[HIGH] as number) + (words[1 - HIGH] as number) / 2 ** 32;
}

function sortPiece(order: Uint32Array, values: Float64Array, from: number, to: number): void {
  if (to - from > SMALL) {
    byComparison(order.subarray(from, to), values);
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const id = order[i] as number;
    const value = values[id] as number;
    let at = i;
    for (; at > from && (values[order[at - 1] as number] as number) > value; at--)
      order[at] = order[at - 1] as number;
    order[at] = id;
  }
}
