import type { AttentionShape, AttentionVariant } from '../spec/kinds/attention';
import { visibleKeyRanges } from './mask';
import type { BlockList } from './types';

/**
 * Key blocks that each query block visits, by interval reasoning: every variant's visible keys are
 * at most two ranges per query, so a row costs two range ends and never a look at each key. A block
 * is full when every existing query of the row sees every one of its `blockKeys` keys; the last,
 * ragged block of keys is therefore partial.
 *
 * @param batch index of the batch entry; only documents differ between them
 */
export function buildBlockList(
  variant: AttentionVariant,
  shape: AttentionShape,
  documents: Int32Array | undefined,
  batch: number,
  blockQueries: number,
  blockKeys: number,
): BlockList {
  const queryBlocks = Math.ceil(shape.queries / blockQueries);
  const keyBlocks = Math.ceil(shape.keys / blockKeys);
  const offsets = new Uint32Array(queryBlocks + 1);
  const fullCounts = new Uint32Array(queryBlocks);
  const blocks: number[] = [];
  // Per key block of the current query block: rows that see any of it, rows that see all of it.
  const anyRows = new Uint32Array(keyBlocks);
  const allRows = new Uint32Array(keyBlocks);

  for (let i = 0; i < queryBlocks; i++) {
    const firstQuery = i * blockQueries;
    const lastQuery = Math.min(shape.queries, firstQuery + blockQueries);
    let low = keyBlocks;
    let high = 0;
    for (let q = firstQuery; q < lastQuery; q++) {
      for (const [start, end] of visibleKeyRanges(variant, shape, documents, batch, q)) {
        const firstBlock = Math.floor(start / blockKeys);
        const lastBlock = Math.floor((end - 1) / blockKeys);
        low = Math.min(low, firstBlock);
        high = Math.max(high, lastBlock + 1);
        // +1 where the range begins, -1 after it ends: counts by prefix sums, not by element.
        addSpan(anyRows, firstBlock, lastBlock + 1);
        const firstFull = Math.ceil(start / blockKeys);
        const endFull = Math.floor(end / blockKeys);
        if (firstFull < endFull) addSpan(allRows, firstFull, endFull);
      }
    }
    collect(i, low, high, lastQuery - firstQuery);
  }

  function collect(row: number, low: number, high: number, rows: number): void {
    const partial: number[] = [];
    let any = 0;
    let all = 0;
    let fullCount = 0;
    for (let j = low; j < high; j++) {
      any = (any + (anyRows[j] ?? 0)) | 0;
      all = (all + (allRows[j] ?? 0)) | 0;
      if (all === rows) {
        blocks.push(j);
        fullCount++;
      } else if (any > 0) partial.push(j);
    }
    anyRows.fill(0, low, high + 1);
    allRows.fill(0, low, high + 1);
    for (const j of partial) blocks.push(j);
    fullCounts[row] = fullCount;
    offsets[row + 1] = blocks.length;
  }

  return {
    blockQueries,
    blockKeys,
    queryBlocks,
    keyBlocks,
    offsets,
    fullCounts,
    blocks: Uint32Array.from(blocks),
  };
}

/** Adds one to [start, end) of a difference array; wraps modulo 2^32, which the prefix sums undo. */
function addSpan(differences: Uint32Array, start: number, end: number): void {
  differences[start] = (differences[start] ?? 0) + 1;
  if (end < differences.length) differences[end] = (differences[end] ?? 0) - 1;
}

/** Unmasked query-key pairs, summed over the batch, of one query head. */
export function countVisiblePairs(
  variant: AttentionVariant,
  shape: AttentionShape,
  documents: Int32Array | undefined,
): number {
  let pairs = 0;
  const batches = variant.type === 'documents' ? shape.batch : 1;
  for (let b = 0; b < batches; b++) {
    for (let q = 0; q < shape.queries; q++) {
      for (const [start, end] of visibleKeyRanges(variant, shape, documents, b, q))
        pairs += end - start;
    }
  }
  return variant.type === 'documents' ? pairs : pairs * shape.batch;
}
