/** Attention weights of one head, [tokens, tokens]: row i is the query at token i. */
export type HeadMap = Float32Array;

/** Mean over queries of a weight that some of them have; NaN where none has. */
function meanOver(count: number, weightOf: (query: number) => number | undefined): number {
  let sum = 0;
  let queries = 0;
  for (let query = 0; query < count; query++) {
    const weight = weightOf(query);
    if (weight === undefined) continue;
    sum += weight;
    queries++;
  }
  return queries === 0 ? Number.NaN : sum / queries;
}

/**
 * Mean attention to the first token (attention sink; Xiao et al., 2023), of all queries but the
 * first, which sees nothing else.
 */
export function sinkMass(map: HeadMap, count: number): number {
  return meanOver(count, (i) => (i === 0 ? undefined : map[i * count]));
}

/** Mean attention to the token before, of the queries whose token before is not the first. */
export function previousTokenMass(map: HeadMap, count: number): number {
  return meanOver(count, (i) => (i < 2 ? undefined : map[i * count + i - 1]));
}

/**
 * Mean attention to the last `windowTokens` tokens, the query's own included, of the queries that
 * see more than these.
 */
export function windowMass(map: HeadMap, count: number, windowTokens: number): number {
  return meanOver(count, (i) => {
    if (i < windowTokens) return undefined;
    let sum = 0;
    for (let j = i - windowTokens + 1; j <= i; j++) sum += map[i * count + j] as number;
    return sum;
  });
}

/** Mean entropy of a head's attention, in nats, of all queries but the first. */
export function attentionEntropyNats(map: HeadMap, count: number): number {
  return meanOver(count, (i) => {
    if (i === 0) return undefined;
    let sum = 0;
    for (let j = 0; j <= i; j++) {
      const weight = map[i * count + j] as number;
      if (weight > 0) sum -= weight * Math.log(weight);
    }
    return sum;
  });
}

/** Mean attention to earlier places of a query's own token, of the queries that have one (echo). */
export function duplicateTokenMass(map: HeadMap, tokens: readonly number[]): number {
  return massOn(map, tokens, (i, j) => tokens[j] === tokens[i]);
}

/**
 * Mean attention to the tokens that followed earlier places of a query's token (induction; Olsson et
 * al., 2022), of the queries that have one. On a sequence of K different tokens repeated it is
 * A(i, i-K+1), summed over the repeats before.
 */
export function inductionMass(map: HeadMap, tokens: readonly number[]): number {
  return massOn(map, tokens, (i, j) => j > 0 && tokens[j - 1] === tokens[i]);
}

function massOn(
  map: HeadMap,
  tokens: readonly number[],
  isSought: (query: number, key: number) => boolean,
): number {
  const count = tokens.length;
  return meanOver(count, (i) => {
    let sum: number | undefined;
    for (let j = 0; j < i; j++) {
      if (isSought(i, j)) sum = (sum ?? 0) + (map[i * count + j] as number);
    }
    return sum;
  });
}

/**
 * Share of queries whose largest attention lies within the evidence (retrieval heads; Wu et al.,
 * 2024, without their test that the token is copied).
 *
 * @param queries rows that predict the tokens of an answer
 * @param evidence spans, [start, end)
 */
export function retrievalScore(
  map: HeadMap,
  count: number,
  queries: readonly number[],
  evidence: readonly (readonly [number, number])[],
): number {
  const hits = queries.filter((query) => {
    let best = 0;
    for (let j = 1; j <= query; j++) {
      if ((map[query * count + j] as number) > (map[query * count + best] as number)) best = j;
    }
    return evidence.some(([start, end]) => best >= start && best < end);
  });
  return hits.length / queries.length;
}
