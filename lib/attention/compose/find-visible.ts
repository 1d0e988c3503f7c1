import type { AttentionShape } from '../../spec/kinds/attention';
import { COUNT_BLOCK, coverOf, MAX_LOOKS, subdivide } from '../block-list';
import { type AttentionProgram, queryPosition } from '../program';
import { joinMasks } from './join-masks';

/** A query-key pair; both count from the first key. */
export interface VisiblePair {
  readonly batch: number;
  readonly head: number;
  readonly query: number;
  readonly key: number;
}

export interface VisibleSearch {
  /** Of the first query that sees anything, the first key; undefined where none is found. */
  readonly pair: VisiblePair | undefined;
  /** Undecided blocks were looked at on a spread of rows only: a pair between them may be missed. */
  readonly isSampled: boolean;
}

/** The first pair that a mask lets through: rectangles by interval reasoning, undecided blocks by element. */
export function findVisible(
  program: AttentionProgram,
  shape: AttentionShape,
  maxLooks = MAX_LOOKS,
): VisibleSearch {
  let isSampled = false;
  for (let batch = 0; batch < (program.maskPerBatch ? shape.batch : 1); batch++) {
    for (let head = 0; head < (program.maskPerHead ? shape.queryHeads : 1); head++) {
      const blocks = openBlocks(program, shape, batch, head);
      const looks = blocks.length * COUNT_BLOCK ** 2;
      const stride = Math.max(1, Math.ceil(looks / maxLooks));
      isSampled ||= stride > 1;
      const pair = firstPair(program, shape, { batch, head, blocks, stride });
      if (pair !== undefined) return { pair, isSampled };
    }
  }
  return { pair: undefined, isSampled };
}

interface Block {
  readonly q: number;
  readonly k: number;
}

/** Blocks that may hold a visible pair, by query, then key. */
function openBlocks(
  program: AttentionProgram,
  shape: AttentionShape,
  batch: number,
  head: number,
): readonly Block[] {
  const { queries, keys } = shape;
  const blocks: Block[] = [];
  const cover = coverOf(program, shape, batch, head, head);
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
    (kind, r0, _r1, c0) => {
      // The first block of a rectangle that is seen as a whole says enough.
      if (kind !== 'none') blocks.push({ q: r0 * COUNT_BLOCK, k: c0 * COUNT_BLOCK });
    },
  );
  return blocks.sort((a, b) => a.q - b.q || a.k - b.k);
}

function firstPair(
  program: AttentionProgram,
  shape: AttentionShape,
  search: {
    readonly batch: number;
    readonly head: number;
    readonly blocks: readonly Block[];
    readonly stride: number;
  },
): VisiblePair | undefined {
  const { batch, head, blocks, stride } = search;
  let best: Block | undefined;
  for (const [i, { q: q0, k: k0 }] of blocks.entries()) {
    // Blocks come by query, then key: one of the same rows may still hold an earlier query.
    if (best !== undefined && q0 >= best.q) break;
    const end = Math.min(shape.queries, q0 + COUNT_BLOCK, best?.q ?? shape.queries);
    const k1 = Math.min(shape.keys, k0 + COUNT_BLOCK);
    best = firstInBlock(q0 + (i % stride), end, k0, k1, stride) ?? best;
  }
  return best && { batch, head, query: queryPosition(shape, best.q), key: best.k };

  function firstInBlock(q0: number, q1: number, k0: number, k1: number, step: number) {
    for (let q = q0; q < q1; q += step) {
      for (let k = k0; k < k1; k++) if (program.isVisible(batch, head, q, k)) return { q, k };
    }
    return undefined;
  }
}

/**
 * Refuses parts that are to be merged and see a key twice.
 *
 * @param parts names and programs, all of one shape
 * @returns whether the masks were looked at on a spread of rows only
 * @throws Error that names two parts, and the first query and key that both see
 */
export function checkDisjoint(
  parts: readonly { readonly name: string; readonly program: AttentionProgram }[],
  shape: AttentionShape,
): boolean {
  let isSampled = false;
  for (const [i, a] of parts.entries()) {
    for (const b of parts.slice(i + 1)) {
      const search = findVisible(joinMasks(shape, [a.program, b.program], 'and'), shape);
      isSampled ||= search.isSampled;
      if (search.pair === undefined) continue;
      const { batch, head, query, key } = search.pair;
      throw new Error(
        `overlapping parts: "${a.name}" and "${b.name}" both see key ${key} of query ${query} at batch ${batch}, head ${head} (rule merge expects disjoint parts; with overlaps first, a key goes to the first part that sees it)`,
      );
    }
  }
  return isSampled;
}
