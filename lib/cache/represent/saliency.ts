/** Attention that some query rows give to every slot. */
export interface AttentionRows {
  /** Softmax weights, [rows, slots]. */
  readonly weights: Float32Array;
  /** Text position of each row's query, [rows]. */
  readonly queryPositions: ArrayLike<number>;
  /** Text position of each slot, [slots]. */
  readonly slotPositions: ArrayLike<number>;
}

/** Column sums of attention: H2O's score (Zhang et al. 2023), which favours old slots. */
export function accumulatedAttention({ weights, slotPositions }: AttentionRows): Float64Array {
  const slots = slotPositions.length;
  const sums = new Float64Array(slots);
  weights.forEach((weight, i) => {
    sums[i % slots] = sums[i % slots]! + weight;
  });
  return sums;
}

/**
 * Column sums divided by how many of these very rows can see the slot (ZipCache, He et al. 2024):
 * the bias for old slots is gone. With probe rows the count is theirs; dividing by all rows that
 * could see the slot, as the authors' code does, brings a bias back: see `byFullCount`.
 */
export function normalisedSaliency(attention: AttentionRows): Float64Array {
  const { queryPositions, slotPositions } = attention;
  return accumulatedAttention(attention).map((sum, slot) => {
    let seeing = 0;
    for (let row = 0; row < queryPositions.length; row++) {
      if (queryPositions[row]! >= slotPositions[slot]!) seeing++;
    }
    return seeing === 0 ? 0 : sum / seeing;
  });
}

/** Probe sums over the count of all later positions of a text: ZipCache as its code does it. */
export function byFullCount(attention: AttentionRows, textTokens: number): Float64Array {
  return accumulatedAttention(attention).map(
    (sum, slot) => sum / (textTokens - attention.slotPositions[slot]!),
  );
}

/**
 * Rows to probe: the most recent ones, and as many more drawn from the rest.
 *
 * @param draw integer in [low, high]
 */
export function probeRows(
  rows: number,
  recentShare: number,
  randomShare: number,
  draw: (low: number, high: number) => number,
): number[] {
  const recent = Math.min(rows, Math.max(1, Math.round(rows * recentShare)));
  const pool = Array.from({ length: rows - recent }, (_, i) => i);
  const wanted = Math.min(pool.length, Math.round(rows * randomShare));
  for (let i = 0; i < wanted; i++) {
    const j = draw(i, pool.length - 1);
    [pool[i], pool[j]] = [pool[j]!, pool[i]!];
  }
  const drawn = pool.slice(0, wanted).sort((a, b) => a - b);
  return [...drawn, ...Array.from({ length: recent }, (_, i) => rows - recent + i)];
}
