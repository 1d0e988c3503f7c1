import type { HeadGeometry, Lines } from './types';
import type { WindowScores } from './window-scores';
import { columnSums, diagonalSums } from './window-scores';

/**
 * Greedy cover of sampled attention by lines (as LoopServe, 2025, states its goal): repeatedly adds
 * the column or diagonal with the most mass not yet covered, so that a pair on two lines counts
 * once, until `share` of the sampled mass is covered. `share` 1 takes every column.
 *
 * @param forced lines that are kept first; their mass counts
 * @param kinds lines that may be added: columns alone are tokens that matter to all queries, as many
 * as cover the share (as ZipVL, 2024, states its budget)
 */
export function coverWithLines(
  head: HeadGeometry,
  window: WindowScores,
  share: number,
  forced: Lines,
  kinds: 'both' | 'columns' = 'both',
): Lines {
  const { keys } = head;
  const columns = Uint8Array.from(forced.columns);
  const diagonals = Uint8Array.from(forced.diagonals);
  if (share >= 1) return { columns: columns.fill(1), diagonals };

  const columnGain = columnSums(head, window);
  const diagonalGain = diagonalSums(head, window);
  const open = Float32Array.from(window.probabilities);
  const total = columnGain.reduce((sum, gain) => sum + gain, 0);
  let covered = 0;

  const take = (row: number, key: number, distance: number) => {
    const index = row * keys + key;
    const mass = open[index] as number;
    open[index] = 0;
    covered += mass;
    columnGain[key] = (columnGain[key] as number) - mass;
    if (distance >= 0) diagonalGain[distance] = (diagonalGain[distance] as number) - mass;
  };
  const coverColumn = (key: number) => {
    columns[key] = 1;
    for (let r = 0; r < window.rows; r++) take(r, key, keys - window.rows + r - key);
  };
  const coverDiagonal = (distance: number) => {
    diagonals[distance] = 1;
    for (let r = 0; r < window.rows; r++) {
      const key = keys - window.rows + r - distance;
      if (key >= 0) take(r, key, distance);
    }
  };

  for (let i = 0; i < keys; i++) if (columns[i] === 1) coverColumn(i);
  for (let i = 0; i < keys; i++) if (diagonals[i] === 1) coverDiagonal(i);
  while (covered < share * total) {
    let best = -1;
    let bestGain = 0;
    for (let i = 0; i < keys; i++) {
      if (columns[i] === 0 && (columnGain[i] as number) > bestGain) {
        best = i;
        bestGain = columnGain[i] as number;
      }
      if (kinds === 'both' && diagonals[i] === 0 && (diagonalGain[i] as number) > bestGain) {
        best = keys + i;
        bestGain = diagonalGain[i] as number;
      }
    }
    if (best < 0) break;
    if (best < keys) coverColumn(best);
    else coverDiagonal(best - keys);
  }
  return { columns, diagonals };
}
