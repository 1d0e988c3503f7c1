import type { CopiedSlots, RowIndices, TransformerConfig } from '../transformer/types';
import { limitsOf } from './transformer-parts';
import { PART_ROWS } from './transformer-steps';

/** What the rows of a step find in one layer. */
export interface LayerPlan {
  /** Slots of each KV head with the step's rows. */
  readonly counts: readonly number[];
  /** Per KV head. */
  readonly indices: readonly RowIndices[];
  /** Text positions of each KV head's slots with the rows'. */
  readonly positions: readonly Int32Array[];
}

/** A step over copied slots, known before it runs. */
export interface StepPlan {
  readonly positions: Int32Array;
  readonly layers: readonly LayerPlan[];
  readonly highestIndex: number;
}

/**
 * Where rows at these positions go in the layers from `first` to `end`; undefined where the cache
 * cannot say.
 */
export function planStep(
  { kvHeads }: TransformerConfig,
  copied: CopiedSlots,
  positions: Int32Array,
  first: number,
  end: number,
): StepPlan | undefined {
  const layers: LayerPlan[] = [];
  let highestIndex = 0;
  for (let layer = first; layer < end; layer++) {
    const indices: RowIndices[] = [];
    const held: Int32Array[] = [];
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const own = copied.indicesOf(layer, kvHead, positions);
      if (own === undefined) return undefined;
      for (const list of [own.keys, own.queries]) {
        for (const index of list) {
          if (index < 0) return undefined;
          highestIndex = Math.max(highestIndex, index);
        }
      }
      indices.push(own);
      const before = copied.positions(layer, kvHead);
      const after = new Int32Array(before.length + positions.length);
      after.set(before);
      after.set(positions, before.length);
      held.push(after);
    }
    layers.push({ counts: held.map(({ length }) => length), indices, positions: held });
  }
  return { positions, layers, highestIndex };
}

/** Tables of a step as the kernels read them, and where they begin. */
export interface StepTables {
  readonly words: Uint32Array<ArrayBuffer>;
  /** Per layer of the plan. */
  readonly tableAt: readonly number[];
  readonly limitsAt: readonly number[];
}

/**
 * The numbers of a step in one buffer: positions [rows] and the score scales of the KV heads, which
 * are 1; then per layer of the KV heads the first slot, the slots with the rows', where their scores
 * begin, and the RoPE indices of the rows as slots and as queries, [kvHeads][rows] each; then, where
 * wanted, the limits of `transformer-part.wgsl`.
 *
 * @param firstSlots of the plan's layers and their KV heads
 */
export function tablesOf(
  { kvHeads, heads }: TransformerConfig,
  plan: StepPlan,
  firstSlots: readonly (readonly number[])[],
  withLimits: boolean,
): StepTables {
  const rows = plan.positions.length;
  const group = heads / kvHeads;
  const blocks = Math.ceil(rows / PART_ROWS);
  const perLayer = kvHeads * (3 + 2 * rows + (withLimits ? 1 + blocks : 0));
  const shared = rows + kvHeads;
  const words = new Uint32Array(shared + plan.layers.length * perLayer);
  words.set(plan.positions);
  new Float32Array(words.buffer).fill(1, rows, shared);
  const tableAt: number[] = [];
  const limitsAt: number[] = [];
  plan.layers.forEach(({ counts, indices, positions }, layer) => {
    const at = shared + layer * perLayer;
    let scoresAt = 0;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      words[at + kvHead] = firstSlots[layer]![kvHead]!;
      words[at + kvHeads + kvHead] = counts[kvHead]!;
      words[at + 2 * kvHeads + kvHead] = scoresAt;
      scoresAt += rows * group * counts[kvHead]!;
      words.set(indices[kvHead]!.keys, at + 3 * kvHeads + kvHead * rows);
      words.set(indices[kvHead]!.queries, at + 3 * kvHeads + (kvHeads + kvHead) * rows);
    }
    tableAt.push(at);
    const limits = at + kvHeads * (3 + 2 * rows);
    limitsAt.push(limits);
    if (!withLimits) return;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const part = { count: counts[kvHead]!, positions: positions[kvHead]! };
      const list = limitsOf(part, plan.positions, firstSlots[layer]![kvHead]!);
      words.set(list, limits + kvHead * (1 + blocks));
    }
  });
  return { words, tableAt, limitsAt };
}
