import { createRandom } from '../random/random';
import type { AttentionParams, AttentionShape, AttentionVariant } from '../spec/kinds/attention';

/** Half-open interval of key positions. */
export type KeyRange = readonly [start: number, end: number];

/** Position of query `index` among the keys: queries are the last `queries` of the `keys` positions. */
export function queryPosition(shape: AttentionShape, index: number): number {
  return shape.keys - shape.queries + index;
}

/**
 * Document index of every key position, [batch x keys], or undefined where the variant has none.
 * Lengths are geometric around the mean, as if every token ended its document with the same chance.
 */
export function makeDocuments(params: AttentionParams): Int32Array | undefined {
  const { variant, shape } = params;
  if (variant.type !== 'documents') return undefined;
  const documents = new Int32Array(shape.batch * shape.keys);
  for (let b = 0; b < shape.batch; b++) {
    const random = createRandom(params.seed).fork(`documents ${b}`);
    let document = 0;
    for (let k = 0; k < shape.keys; k++) {
      documents[b * shape.keys + k] = document;
      if (random.uniform() < 1 / variant.meanDocumentTokens) document++;
    }
  }
  return documents;
}

/** First and one past the last key position of the document that holds `position`. */
function documentRange(
  documents: Int32Array,
  shape: AttentionShape,
  batch: number,
  position: number,
): KeyRange {
  const offset = batch * shape.keys;
  const document = documents[offset + position] ?? 0;
  return [
    lowerBound(documents, offset, offset + shape.keys, document) - offset,
    lowerBound(documents, offset, offset + shape.keys, document + 1) - offset,
  ];
}

function lowerBound(sorted: Int32Array, from: number, to: number, value: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Key positions that a query sees, as at most two disjoint ascending ranges. Empty for a row that
 * is fully masked, such as a query before the first key under a causal mask.
 */
export function visibleKeyRanges(
  variant: AttentionVariant,
  shape: AttentionShape,
  documents: Int32Array | undefined,
  batch: number,
  queryIndex: number,
): readonly KeyRange[] {
  const position = queryPosition(shape, queryIndex);
  const causalEnd = position + 1;
  switch (variant.type) {
    case 'dense':
      return [[0, shape.keys]];
    case 'causal':
      return nonEmpty([0, causalEnd]);
    case 'sliding-window':
      return nonEmpty([Math.max(0, causalEnd - variant.windowTokens), causalEnd]);
    case 'window-sinks': {
      const start = Math.max(0, causalEnd - variant.windowTokens);
      if (start <= variant.sinkTokens) return nonEmpty([0, causalEnd]);
      return [
        [0, variant.sinkTokens],
        [start, causalEnd],
      ];
    }
    case 'documents': {
      if (position < 0 || documents === undefined) return [];
      const [start, end] = documentRange(documents, shape, batch, position);
      return nonEmpty([start, variant.causal ? Math.min(end, causalEnd) : end]);
    }
  }
}

function nonEmpty(range: KeyRange): readonly KeyRange[] {
  return range[0] < range[1] ? [range] : [];
}

/** The mask as a predicate, element by element: the definition that everything else is tested against. */
export function makeMask(
  variant: AttentionVariant,
  shape: AttentionShape,
  documents: Int32Array | undefined,
): (batch: number, queryIndex: number, key: number) => boolean {
  const first = shape.keys - shape.queries;
  switch (variant.type) {
    case 'dense':
      return () => true;
    case 'causal':
      return (_, q, k) => k <= first + q;
    case 'sliding-window':
      return (_, q, k) => k <= first + q && first + q - k < variant.windowTokens;
    case 'window-sinks':
      return (_, q, k) =>
        k <= first + q && (first + q - k < variant.windowTokens || k < variant.sinkTokens);
    case 'documents':
      return (b, q, k) => {
        const position = first + q;
        if (position < 0 || documents === undefined) return false;
        const same = documents[b * shape.keys + k] === documents[b * shape.keys + position];
        return same && (!variant.causal || k <= position);
      };
  }
}
