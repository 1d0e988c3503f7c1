import { formatPercent } from '../format';
import type { MaskPreview } from './preview';

interface Lengths {
  readonly queries: number;
  readonly keys: number;
}

const range = (name: string, start: number, past: number) =>
  past - start === 1 ? `${name} ${start}` : `${name} ${start} to ${past - 1}`;

/** One cell of a preview in words: which queries and keys, and how much of it is seen. */
export function maskCellText(
  { columns, queriesPerCell, keysPerCell, shares }: MaskPreview,
  { queries, keys }: Lengths,
  row: number,
  column: number,
): string {
  const share = shares[row * columns + column] ?? 0;
  const where = [
    range('query', row * queriesPerCell, Math.min(queries, (row + 1) * queriesPerCell)),
    range('key', column * keysPerCell, Math.min(keys, (column + 1) * keysPerCell)),
  ];
  const seen =
    share === 1 ? 'all seen' : share === 0 ? 'nothing seen' : `about ${formatPercent(share)} seen`;
  return `${where.join(', ')}: ${seen}`;
}

/** A preview as a table of at most `most` rows and columns: mean shares of groups of its cells. */
export interface MaskTable {
  readonly firstQueries: readonly number[];
  readonly firstKeys: readonly number[];
  /** [firstQueries][firstKeys] */
  readonly shares: readonly (readonly number[])[];
}

export function maskTable(preview: MaskPreview, most: number): MaskTable {
  const { rows, columns, queriesPerCell, keysPerCell, shares } = preview;
  const down = starts(rows, most);
  const across = starts(columns, most);
  const mean = (r0: number, r1: number, c0: number, c1: number) => {
    let sum = 0;
    for (let r = r0; r < r1; r++) {
      for (let c = c0; c < c1; c++) sum += shares[r * columns + c] ?? 0;
    }
    return sum / ((r1 - r0) * (c1 - c0));
  };
  return {
    firstQueries: down.map((r) => r * queriesPerCell),
    firstKeys: across.map((c) => c * keysPerCell),
    shares: down.map((r, i) =>
      across.map((c, j) => mean(r, down[i + 1] ?? rows, c, across[j + 1] ?? columns)),
    ),
  };
}

const starts = (count: number, most: number): readonly number[] => {
  const groups = Math.min(count, most);
  return Array.from({ length: groups }, (_, i) => Math.floor((i * count) / groups));
};
