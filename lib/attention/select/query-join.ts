import type { ComposedSelection } from '../../spec/kinds/selection-parts';

/** One value per slot, such as a block or a line, joined from those of several queries. */
export interface QueryJoin {
  readonly clear: () => void;
  /** Begins the values of another query. */
  readonly nextQuery: () => void;
  readonly join: (slot: number, value: number) => void;
  /** The joined values, [slots]; of a slot that no query has joined -Infinity, or 0 of probabilities. */
  readonly finish: (out: Float64Array) => void;
}

/**
 * A mean of scores is over the queries that score a slot; of probabilities over all, since what a
 * query does not see has probability 0.
 */
export function makeQueryJoin(
  slots: number,
  { of, queries }: Pick<ComposedSelection['reducer'], 'of' | 'queries'>,
): QueryJoin {
  const total = new Float64Array(slots);
  const joined = new Uint32Array(slots);
  let rows = 0;
  return {
    clear: () => {
      rows = 0;
      joined.fill(0);
    },
    nextQuery: () => {
      rows++;
    },
    join: (slot, value) => {
      const before = total[slot] as number;
      if (joined[slot] === 0) total[slot] = value;
      else if (queries === 'max') total[slot] = Math.max(before, value);
      else total[slot] = before + value;
      joined[slot] = (joined[slot] as number) + 1;
    },
    finish: (out) => {
      for (let i = 0; i < slots; i++) {
        const count = joined[i] as number;
        if (count === 0) out[i] = of === 'scores' ? -Infinity : 0;
        else if (queries !== 'mean') out[i] = total[i] as number;
        else out[i] = (total[i] as number) / (of === 'scores' ? count : rows);
      }
    },
  };
}
