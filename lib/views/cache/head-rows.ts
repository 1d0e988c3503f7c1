import { type CacheLook, SLOT_STATES } from '../../evaluate/look';

/** What became of one head's context. */
export interface HeadRow {
  readonly layer: number;
  readonly kvHead: number;
  /** Positions by state, in the order of `SLOT_STATES`. */
  readonly counts: readonly number[];
  /** Of slots that hold context, each counted once. */
  readonly bytes: number;
  /** Share of the question's attention to the context that lies on what is still there. */
  readonly attentionShare: number;
}

const DROPPED = SLOT_STATES.indexOf('dropped');

/** @param attention of the question in the full cache, [layers, kvHeads, contextTokens] */
export function headRows(
  { layers, kvHeads, contextTokens, states, bytes }: CacheLook,
  attention: ArrayLike<number>,
): readonly HeadRow[] {
  return Array.from({ length: layers * kvHeads }, (_, row): HeadRow => {
    const counts: number[] = SLOT_STATES.map(() => 0);
    let held = 0;
    let still = 0;
    let asked = 0;
    for (let at = row * contextTokens; at < (row + 1) * contextTokens; at++) {
      const state = states[at] ?? DROPPED;
      counts[state] = (counts[state] ?? 0) + 1;
      held += bytes[at] ?? 0;
      asked += attention[at] ?? 0;
      if (state !== DROPPED) still += attention[at] ?? 0;
    }
    return {
      layer: Math.floor(row / kvHeads),
      kvHead: row % kvHeads,
      counts,
      bytes: held,
      attentionShare: asked > 0 ? still / asked : 0,
    };
  });
}
