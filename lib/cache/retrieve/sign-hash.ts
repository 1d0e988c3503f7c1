import { createRandom } from '../../random/random';

/** Clusters of rows by the signs of random projections of their keys. */
export interface SignClusters {
  /** Cluster of each row, [count]. */
  readonly clusterOf: Int32Array;
  readonly sizes: Int32Array;
  /** Mean rotated key of each cluster, [clusters, headSize]. */
  readonly means: Float32Array;
  /** Signs of each cluster's first key, [clusters], `bits` bits. */
  readonly hashes: Uint32Array;
}

export interface SignHashOptions {
  /** Random hyperplanes, up to 32. */
  readonly bits: number;
  /** A key joins the nearest cluster within this many differing signs, and otherwise founds one. */
  readonly maxDistance: number;
  readonly seed: number;
}

/** @param keys [count, headSize] */
export function clusterBySign(
  keys: Float32Array,
  count: number,
  headSize: number,
  { bits, maxDistance, seed }: SignHashOptions,
): SignClusters {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 32)) {
    throw new RangeError(`invalid bits: ${bits} (expected 1..32)`);
  }
  const random = createRandom(seed);
  const planes = Float32Array.from({ length: bits * headSize }, () => random.normal());
  const hashes: number[] = [];
  const sizes: number[] = [];
  const clusterOf = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const hash = signsOf(keys, row * headSize, planes, bits, headSize);
    let nearest = -1;
    let distance = maxDistance + 1;
    hashes.forEach((other, cluster) => {
      const between = differingBits(hash, other);
      if (between < distance) {
        distance = between;
        nearest = cluster;
      }
    });
    if (nearest < 0) {
      nearest = hashes.push(hash) - 1;
      sizes.push(0);
    }
    clusterOf[row] = nearest;
    sizes[nearest] = sizes[nearest]! + 1;
  }
  const means = new Float32Array(hashes.length * headSize);
  for (let row = 0; row < count; row++) {
    const cluster = clusterOf[row]!;
    for (let d = 0; d < headSize; d++) {
      const at = cluster * headSize + d;
      means[at] = means[at]! + keys[row * headSize + d]! / sizes[cluster]!;
    }
  }
  return {
    clusterOf,
    sizes: Int32Array.from(sizes),
    means,
    hashes: Uint32Array.from(hashes),
  };
}

function signsOf(
  keys: Float32Array,
  at: number,
  planes: Float32Array,
  bits: number,
  headSize: number,
): number {
  let hash = 0;
  for (let bit = 0; bit < bits; bit++) {
    let sum = 0;
    for (let d = 0; d < headSize; d++) sum += keys[at + d]! * planes[bit * headSize + d]!;
    if (sum > 0) hash |= 1 << bit;
  }
  return hash >>> 0;
}

/** Hamming distance of two words. */
export function differingBits(a: number, b: number): number {
  let left = (a ^ b) >>> 0;
  let count = 0;
  for (; left !== 0; count++) left = (left & (left - 1)) >>> 0;
  return count;
}
