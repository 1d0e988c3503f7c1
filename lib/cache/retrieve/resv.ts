import type { SessionFactory } from '../types';
import { dot, softmax } from './choose';
import { retrievalSession } from './retrieval-session';
import { clusterBySign, type SignHashOptions } from './sign-hash';

export interface ResvOptions extends Partial<SignHashOptions> {
  /** Share of the estimated attention that the chosen clusters must hold, up to 1. */
  readonly mass: number;
}

/**
 * ReSV of V-Rex (2025): keys are clustered by the signs of random projections; a query takes clusters
 * in the order of their representative's weight until exp(score) x size, normalised, reaches `mass`,
 * so each query finds its own budget. The bits, the distance and the mass are ours.
 */
export function resvSession({
  mass,
  bits = 12,
  maxDistance = 0,
  seed = 1,
}: ResvOptions): SessionFactory {
  if (!(mass > 0 && mass <= 1)) {
    throw new RangeError(`invalid mass: ${mass} (expected above 0, up to 1)`);
  }
  return retrievalSession({
    label: `ReSV, mass ${mass}`,
    offload: true,
    moves: 'keys and values',
    open: () => ({
      indexHead({ rows, count, headSize }) {
        const clusters = clusterBySign(rows.rotated, count, headSize, { bits, maxDistance, seed });
        return {
          choose({ queries }) {
            const chosen = weightedTopP(
              clusterWeights(queries, clusters.means, clusters.sizes, headSize),
              mass,
            );
            const out: number[] = [];
            for (let row = 0; row < count; row++) {
              if (chosen.has(clusters.clusterOf[row]!)) out.push(row);
            }
            return Int32Array.from(out);
          },
          buffers: [
            { role: 'summaries', data: clusters.means },
            { role: 'summaries', data: clusters.hashes },
            { role: 'indices', data: clusters.clusterOf },
            { role: 'indices', data: clusters.sizes },
          ],
        };
      },
    }),
  });
}

/** Estimated attention of each cluster: its size times exp of its mean's score, normalised, mean over queries. */
export function clusterWeights(
  queries: Float32Array,
  means: Float32Array,
  sizes: Int32Array,
  headSize: number,
): Float64Array {
  const total = new Float64Array(sizes.length);
  const group = queries.length / headSize;
  for (let from = 0; from < queries.length; from += headSize) {
    const weights = softmax(
      Float64Array.from(
        sizes,
        (size, cluster) =>
          dot(queries, from, means, cluster * headSize, headSize) / Math.sqrt(headSize) +
          Math.log(size),
      ),
    );
    for (let i = 0; i < total.length; i++) total[i] = total[i]! + weights[i]! / group;
  }
  return total;
}

/** The fewest clusters, the heaviest first, that reach a share of the weight; all of them at 1. */
export function weightedTopP(weights: Float64Array, mass: number): Set<number> {
  const order = Array.from(weights, (_, i) => i);
  if (mass === 1) return new Set(order);
  order.sort((a, b) => weights[b]! - weights[a]! || a - b);
  const chosen = new Set<number>();
  let sum = 0;
  for (const cluster of order) {
    if (sum >= mass) break;
    chosen.add(cluster);
    sum += weights[cluster]!;
  }
  return chosen;
}
