import type { StoredChunk } from './chunks';

/** What a chunk became behind other text, against what it is alone: the same shape as the chunk. */
export interface Anchor {
  readonly alone: StoredChunk;
  /** Keys and values behind other text minus those alone. */
  readonly offset: StoredChunk;
}

export interface AnchorPoolOptions {
  readonly maxAnchors: number;
  /** A chunk whose weights over n anchors have more entropy than this times log2(n) bits is a new anchor. */
  readonly entropyThreshold: number;
}

export interface AnchorPool {
  readonly size: number;
  /** Keys and values with the expected offset; undefined where the pool does not know the chunk. */
  predict(alone: StoredChunk): StoredChunk | undefined;
  add(anchor: Anchor): void;
}

/** Anchors looked at, oldest first, when one has to go. */
const OLDEST = 5;

/**
 * KVComm's anchors (Ye et al., 2025): an offset observed for one chunk is used for chunks near it,
 * weighted by the softmax of the negative distance, in each layer apart. The distance is the L2
 * distance of the keys plus that of the values. Layer 0 sees no other token and is never shifted.
 *
 * An anchor serves chunks up to its own length. With fewer than two such anchors, or an unsure
 * choice between them, the chunk has to be computed and becomes an anchor; then the least used of
 * the five oldest gives way.
 */
export function createAnchorPool({ maxAnchors, entropyThreshold }: AnchorPoolOptions): AnchorPool {
  if (!(Number.isInteger(maxAnchors) && maxAnchors >= 2)) {
    throw new RangeError(`invalid maxAnchors: ${maxAnchors} (expected at least 2)`);
  }
  if (!(entropyThreshold >= 0 && entropyThreshold <= 1)) {
    throw new RangeError(`invalid entropyThreshold: ${entropyThreshold} (expected 0..1)`);
  }
  const anchors: { readonly anchor: Anchor; uses: number }[] = [];
  return {
    get size() {
      return anchors.length;
    },
    predict(alone) {
      const fitting = anchors.filter(
        ({ anchor }) => anchor.alone.tokens.length >= alone.tokens.length,
      );
      if (fitting.length < 2) return undefined;
      const weights = alone.layers.map((_, layer) =>
        anchorWeights(fitting.map(({ anchor }) => anchorDistance(alone, anchor.alone, layer))),
      );
      const upper = weights.slice(1);
      const entropy = upper.reduce((sum, w) => sum + entropyBits(w), 0) / Math.max(1, upper.length);
      if (entropy > entropyThreshold * Math.log2(fitting.length)) return undefined;
      for (const one of fitting) one.uses++;
      return {
        tokens: alone.tokens,
        layers: alone.layers.map(({ keys, values }, layer) => {
          if (layer === 0) return { keys, values };
          const shifted = { keys: keys.slice(), values: values.slice() };
          fitting.forEach(({ anchor }, i) => {
            const offset = anchor.offset.layers[layer]!;
            addScaled(shifted.keys, offset.keys, weights[layer]![i]!);
            addScaled(shifted.values, offset.values, weights[layer]![i]!);
          });
          return shifted;
        }),
      };
    },
    add(anchor) {
      if (anchors.length === maxAnchors) {
        const oldest = anchors.slice(0, OLDEST);
        const least = oldest.reduce((best, one) => (one.uses < best.uses ? one : best));
        anchors.splice(anchors.indexOf(least), 1);
      }
      anchors.push({ anchor, uses: 0 });
    },
  };
}

/** Softmax of the negative distances, at temperature 1. */
export function anchorWeights(distances: readonly number[]): number[] {
  const nearest = Math.min(...distances);
  const raw = distances.map((distance) => Math.exp(nearest - distance));
  const total = raw.reduce((sum, one) => sum + one, 0);
  return raw.map((one) => one / total);
}

export function entropyBits(weights: readonly number[]): number {
  return weights.reduce((sum, w) => sum - (w > 0 ? w * Math.log2(w) : 0), 0);
}

function anchorDistance(chunk: StoredChunk, anchor: StoredChunk, layer: number): number {
  const a = chunk.layers[layer]!;
  const b = anchor.layers[layer]!;
  return distance(a.keys, b.keys) + distance(a.values, b.values);
}

/** Over the length of the first, the shorter. */
function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

function addScaled(to: Float32Array, from: Float32Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + factor * from[i]!;
}
