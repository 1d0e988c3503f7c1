import type { AttentionShape } from '../spec/kinds/attention';
import { createDecider } from './decide-block';
import { type AttentionProgram, programInterval, queryPosition, wholeBox } from './program';
import type { BlockList } from './types';

/** What a rectangle of the score matrix is known to hold. */
export type Cover = 'none' | 'some' | 'all';

/** Asks a rectangle; ends are past the last. */
export type CoverOf = (
  queryStart: number,
  queryEnd: number,
  keyStart: number,
  keyEnd: number,
) => Cover;

/**
 * Asks rectangles of one (batch entry, range of heads) by interval arithmetic over the mask. 'some'
 * may also be said of a rectangle that holds nothing: it is visited then, and masked by element.
 */
export function coverOf(
  program: AttentionProgram,
  shape: AttentionShape,
  batch: number,
  headLow: number,
  headHigh: number,
): CoverOf {
  if (program.mask === undefined) return () => 'all';
  const interval = programInterval(program.mask, program, shape);
  const box = { ...wholeBox(shape, batch), headLow, headHigh };
  const first = queryPosition(shape, 0);
  return (queryStart, queryEnd, keyStart, keyEnd) => {
    box.queryLow = first + queryStart;
    box.queryHigh = first + queryEnd - 1;
    box.keyLow = keyStart;
    box.keyHigh = keyEnd - 1;
    interval.run(box);
    return interval.high === 0 ? 'none' : interval.low === 1 ? 'all' : 'some';
  };
}

/**
 * Calls `visit` with rectangles that together make up the block grid and are each wholly seen,
 * wholly masked or a single block: halves what is undecided, so the work follows the outline of the
 * mask and not its area. Bounds are in blocks.
 */
export function subdivide(
  rows: number,
  columns: number,
  cover: (rowStart: number, rowEnd: number, columnStart: number, columnEnd: number) => Cover,
  visit: (
    kind: Cover,
    rowStart: number,
    rowEnd: number,
    columnStart: number,
    columnEnd: number,
  ) => void,
): void {
  const divide = (r0: number, r1: number, c0: number, c1: number): void => {
    if (r0 >= r1 || c0 >= c1) return;
    const kind = cover(r0, r1, c0, c1);
    if (kind !== 'some' || (r1 - r0 === 1 && c1 - c0 === 1)) {
      visit(kind, r0, r1, c0, c1);
    } else if (r1 - r0 >= c1 - c0) {
      const middle = (r0 + r1) >>> 1;
      divide(r0, middle, c0, c1);
      divide(middle, r1, c0, c1);
    } else {
      const middle = (c0 + c1) >>> 1;
      divide(r0, r1, c0, middle);
      divide(r0, r1, middle, c1);
    }
  };
  divide(0, rows, 0, columns);
}

/**
 * Key blocks that each query block visits, for one batch entry and a range of heads that share the
 * list. A block is full when every existing query of the row sees every one of its `blockKeys`
 * keys; the last, ragged block of keys is therefore partial.
 */
export function buildBlockList(
  program: AttentionProgram,
  shape: AttentionShape,
  batch: number,
  heads: readonly [first: number, last: number],
  blockQueries: number,
  blockKeys: number,
): BlockList {
  const queryBlocks = Math.ceil(shape.queries / blockQueries);
  const keyBlocks = Math.ceil(shape.keys / blockKeys);
  const ragged = shape.keys % blockKeys !== 0 ? keyBlocks - 1 : keyBlocks;
  const state = new Uint8Array(queryBlocks * keyBlocks);
  const cover = coverOf(program, shape, batch, ...heads);
  const decide = createDecider(cover);
  subdivide(
    queryBlocks,
    keyBlocks,
    (r0, r1, c0, c1) =>
      cover(
        r0 * blockQueries,
        Math.min(shape.queries, r1 * blockQueries),
        c0 * blockKeys,
        Math.min(shape.keys, c1 * blockKeys),
      ),
    (asked, r0, r1, c0, c1) => {
      const kind =
        asked === 'some'
          ? decide(
              r0 * blockQueries,
              Math.min(shape.queries, r1 * blockQueries),
              c0 * blockKeys,
              Math.min(shape.keys, c1 * blockKeys),
            )
          : asked;
      if (kind === 'none') return;
      for (let r = r0; r < r1; r++) {
        state.fill(kind === 'all' ? 2 : 1, r * keyBlocks + c0, r * keyBlocks + c1);
        if (c1 > ragged) state[r * keyBlocks + ragged] = 1;
      }
    },
  );
  return collect(state, queryBlocks, keyBlocks, blockQueries, blockKeys);
}

/** CSR from a grid of 0 (absent), 1 (partial) and 2 (full): full blocks first in every row. */
function collect(
  state: Uint8Array,
  queryBlocks: number,
  keyBlocks: number,
  blockQueries: number,
  blockKeys: number,
): BlockList {
  const offsets = new Uint32Array(queryBlocks + 1);
  const fullCounts = new Uint32Array(queryBlocks);
  let count = 0;
  for (let i = 0; i < state.length; i++) if (state[i] !== 0) count++;
  const blocks = new Uint32Array(count);
  let at = 0;
  for (let r = 0; r < queryBlocks; r++) {
    const row = state.subarray(r * keyBlocks, (r + 1) * keyBlocks);
    for (let c = 0; c < keyBlocks; c++) if (row[c] === 2) blocks[at++] = c;
    fullCounts[r] = at - (offsets[r] as number);
    for (let c = 0; c < keyBlocks; c++) if (row[c] === 1) blocks[at++] = c;
    offsets[r + 1] = at;
  }
  return {
    blockQueries,
    blockKeys,
    queryBlocks,
    keyBlocks,
    offsets,
    fullCounts,
    blocks,
  };
}

export const COUNT_BLOCK = 64;
/** Elements of undecided blocks that are looked at one by one; above it, evenly spread rows of them. */
export const MAX_LOOKS = 2 ** 22;

export interface VisiblePairs {
  /** Query-key pairs, summed over batch entries and query heads. */
  readonly pairs: number;
  /** Counted on a spread of rows only. */
  readonly isEstimate: boolean;
}

/** Unmasked query-key pairs: rectangles by interval reasoning, undecided blocks by element. */
export function countVisiblePairs(
  program: AttentionProgram,
  shape: AttentionShape,
  maxLooks = MAX_LOOKS,
): VisiblePairs {
  const { batch, queryHeads, queries, keys } = shape;
  const batches = program.maskPerBatch ? batch : 1;
  const heads = program.maskPerHead ? queryHeads : 1;
  let pairs = 0;
  const open: { b: number; h: number; q: number; k: number }[] = [];
  for (let b = 0; b < batches; b++) {
    for (let h = 0; h < heads; h++) {
      const cover = coverOf(program, shape, b, h, h);
      subdivide(
        Math.ceil(queries / COUNT_BLOCK),
        Math.ceil(keys / COUNT_BLOCK),
        (r0, r1, c0, c1) =>
          cover(
            r0 * COUNT_BLOCK,
            Math.min(queries, r1 * COUNT_BLOCK),
            c0 * COUNT_BLOCK,
            Math.min(keys, c1 * COUNT_BLOCK),
          ),
        (kind, r0, r1, c0, c1) => {
          const rows = Math.min(queries, r1 * COUNT_BLOCK) - r0 * COUNT_BLOCK;
          const columns = Math.min(keys, c1 * COUNT_BLOCK) - c0 * COUNT_BLOCK;
          if (kind === 'all') pairs += rows * columns;
          else if (kind === 'some') open.push({ b, h, q: r0 * COUNT_BLOCK, k: c0 * COUNT_BLOCK });
        },
      );
    }
  }
  const stride = Math.max(1, Math.ceil((open.length * COUNT_BLOCK ** 2) / maxLooks));
  let looked = 0;
  let seen = 0;
  let all = 0;
  open.forEach(({ b, h, q: q0, k: k0 }, i) => {
    const q1 = Math.min(queries, q0 + COUNT_BLOCK);
    const k1 = Math.min(keys, k0 + COUNT_BLOCK);
    all += (q1 - q0) * (k1 - k0);
    for (let q = q0 + (i % stride); q < q1; q += stride) {
      looked += k1 - k0;
      for (let k = k0; k < k1; k++) if (program.isVisible(b, h, q, k)) seen++;
    }
  });
  const undecided = stride === 1 || looked === 0 ? seen : (seen * all) / looked;
  return {
    pairs: (pairs + undecided) * (batch / batches) * (queryHeads / heads),
    isEstimate: stride > 1,
  };
}
