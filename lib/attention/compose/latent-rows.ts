import type { AttentionVariant } from '../../spec/kinds/attention';
import type { ComposeParams } from '../../spec/kinds/compose';
import { makeProgram } from '../program';
import type { AttentionOutput } from '../types';
import { sinkLogitOf } from './combine';
import type { RowOf } from './compare-rows';
import { headPartial } from './compose-heads';
import { attendExpanded } from './latent-attention';
import { headWeights, type LatentRule, type LatentTensors } from './latent-tensors';
import { withSinkLogit } from './sink-logit';
import type { PartialAttention } from './types';

/**
 * The last step of the absorbed form: attended latents times W_uv, a head a step; the sink before it.
 *
 * @param attended of a kernel, [batch, queryHeads, queries, rank + ropeSize]
 * @returns [batch, queryHeads, queries, headSize]; yields the share done
 */
export function* projectSteps(
  params: ComposeParams,
  rule: LatentRule,
  latent: LatentTensors,
  attended: AttentionOutput,
): Generator<number, Float64Array> {
  const { batch, queryHeads, queries, headSize } = params.shape;
  const size = rule.rank + rule.ropeSize;
  const out = new Float64Array(batch * queryHeads * queries * headSize);
  for (let i = 0; i < batch * queryHeads; i++) {
    const { output } = sunk(params, headPartial(attended, queries, size, i));
    const { upValue } = headWeights(latent.weights, i % queryHeads);
    for (let q = 0; q < queries; q++) {
      const row = out.subarray((i * queries + q) * headSize, (i * queries + q + 1) * headSize);
      for (let r = 0; r < rule.rank; r++) {
        const c = output[q * size + r]!;
        for (let d = 0; d < headSize; d++) row[d] = row[d]! + c * upValue[r * headSize + d]!;
      }
    }
    yield (i + 1) / (batch * queryHeads);
  }
  return out;
}

/** The expanded form's output without the values' zeros, [batch, queryHeads, queries, headSize]. */
export function cutExpanded(
  params: ComposeParams,
  rule: LatentRule,
  attended: AttentionOutput,
): Float64Array {
  const { batch, queryHeads, queries, headSize } = params.shape;
  const size = headSize + rule.ropeSize;
  const out = new Float64Array(batch * queryHeads * queries * headSize);
  for (let i = 0; i < batch * queryHeads; i++) {
    const { output } = sunk(params, headPartial(attended, queries, size, i));
    for (let q = 0; q < queries; q++) {
      const row = output.subarray(q * size, q * size + headSize);
      out.set(row, (i * queries + q) * headSize);
    }
  }
  return out;
}

function sunk(params: ComposeParams, part: PartialAttention): PartialAttention {
  const logit = sinkLogitOf(params);
  return logit === undefined ? part : withSinkLogit(part, logit);
}

/**
 * Rows of latent attention in f64 by the expanded form; a head's rows are computed together on the
 * first question.
 *
 * @param queries that will be asked for, counted from the first query
 * @param variant mask and score; temperature and sink are the params' unless `isPlain`
 */
export function latentReference(
  params: ComposeParams,
  latent: LatentTensors,
  queries: readonly number[],
  variant: AttentionVariant,
  isPlain: boolean,
): RowOf {
  const { shape, seed } = params;
  const { queryHeads, headSize } = shape;
  const { isVisible, modify } = makeProgram({ shape, seed, variant });
  const temperature = isPlain ? 1 : params.parts[0]!.temperature;
  const placeOf = new Map(queries.map((query, place) => [query, place]));
  let known: { readonly name: string; readonly output: ArrayLike<number> } | undefined;
  const rowsOf = (values: Float64Array, batchHead: number, size: number) => {
    const rows = new Float64Array(queries.length * size);
    queries.forEach((query, i) => {
      const at = (batchHead * shape.queries + query) * size;
      rows.set(values.subarray(at, at + size), i * size);
    });
    return rows;
  };
  return (batch, head, query) => {
    const name = `${batch} ${head}`;
    const batchHead = batch * queryHeads + head;
    if (known?.name !== name) {
      const [attended] = attendExpanded(
        {
          queries: queries.length,
          content: rowsOf(latent.content, batchHead, headSize),
          rope: rowsOf(latent.rope, batchHead, latent.weights.shape.ropeSize),
        },
        latent.caches[batch]!,
        headWeights(latent.weights, head),
        {
          temperature,
          isVisible: (i, k) => isVisible(batch, head, queries[i]!, k),
          ...(modify === undefined
            ? {}
            : { modify: (score, i, k) => modify(batch, head, queries[i]!, k, score) }),
        },
      );
      const { output } = isPlain ? attended! : sunk(params, attended!);
      known = { name, output };
    }
    const place = placeOf.get(query);
    if (place === undefined) throw new RangeError(`invalid query: ${query} (not asked for)`);
    const { output } = known!;
    return Float64Array.from({ length: headSize }, (_, d) => output[place * headSize + d]!);
  };
}
