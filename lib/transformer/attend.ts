import type { AttentionPart } from './types';

export interface Attended {
  /** [group, headSize] */
  readonly output: Float32Array;
  /** Softmax weights over all parts together, per part [group, count]; only when asked for. */
  readonly weights: readonly Float32Array[];
}

/**
 * Softmax attention of the query heads that share one KV head, over one or more parts merged by
 * their log-sum-exps: exact for parts without temperature and scale, APE's rule (Yang et al., 2025)
 * with them.
 *
 * @param queries rotated, [group, headSize]
 * @param position slots at later text positions are not seen
 */
export function attendRow(
  queries: Float32Array,
  group: number,
  headSize: number,
  position: number,
  parts: readonly AttentionPart[],
  keepWeights: boolean,
): Attended {
  const output = new Float32Array(group * headSize);
  const weights = parts.map((part) => new Float32Array(keepWeights ? group * part.count : 0));
  const scale = 1 / Math.sqrt(headSize);
  for (let head = 0; head < group; head++) {
    const query = queries.subarray(head * headSize, (head + 1) * headSize);
    const partial = parts.map((part) => attendPart(query, headSize, position, part, scale));
    let largest = -Infinity;
    for (const { lse } of partial) largest = Math.max(largest, lse);
    if (largest === -Infinity) continue;
    let total = 0;
    for (const { lse } of partial) total += Math.exp(lse - largest);
    partial.forEach((one, index) => {
      const share = Math.exp(one.lse - largest) / total;
      if (share === 0) return;
      for (let d = 0; d < headSize; d++) {
        output[head * headSize + d] = output[head * headSize + d]! + share * one.output[d]!;
      }
      if (keepWeights) {
        const out = weights[index]!;
        const count = parts[index]!.count;
        for (let s = 0; s < count; s++) out[head * count + s] = share * one.weights[s]!;
      }
    });
  }
  return { output, weights };
}

function attendPart(
  query: Float32Array,
  headSize: number,
  position: number,
  part: AttentionPart,
  scale: number,
): { lse: number; output: Float64Array; weights: Float64Array } {
  const { count, keys, values, positions, logMultiplicity, temperature = 1, lseScale = 1 } = part;
  const weights = new Float64Array(count);
  const output = new Float64Array(headSize);
  let largest = -Infinity;
  for (let s = 0; s < count; s++) {
    if (positions[s]! > position) {
      weights[s] = -Infinity;
      continue;
    }
    let dot = 0;
    for (let d = 0; d < headSize; d++) dot += query[d]! * keys[s * headSize + d]!;
    const score = (dot * scale) / temperature + (logMultiplicity?.[s] ?? 0);
    weights[s] = score;
    if (score > largest) largest = score;
  }
  if (largest === -Infinity) return { lse: -Infinity, output, weights: weights.fill(0) };
  let total = 0;
  for (let s = 0; s < count; s++) {
    const weight = Math.exp(weights[s]! - largest);
    weights[s] = weight;
    total += weight;
  }
  for (let s = 0; s < count; s++) {
    const weight = weights[s]! / total;
    weights[s] = weight;
    if (weight === 0) continue;
    for (let d = 0; d < headSize; d++) {
      output[d] = output[d]! + weight * values[s * headSize + d]!;
    }
  }
  return { lse: (largest + Math.log(total)) * lseScale, output, weights };
}
