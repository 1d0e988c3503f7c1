import { cellStart } from './map';
import type { MapBase } from './types';

/**
 * Probability mass of each cell of a base, [rows, columns]: mean x unmasked elements. The base
 * does not say how many elements of a cell are unmasked. A cell with a masked neighbour may be cut
 * by the mask, so such cells share what the others leave of their queries' total of 1 each; where
 * the others alone exceed it, all cells are partly masked and shrink alike. Exact where cells are
 * single elements or no cell is cut, and up to how the rest is shared where several are.
 *
 * @param isSigned weights of either sign: rows have no total to share, so that all elements of a cell
 * count as unmasked
 */
export function cellMasses(base: MapBase, isSigned = false): Float32Array {
  const { rows, columns, queries, keys, mean } = base;
  const masses = new Float32Array(rows * columns);
  const isMasked = (r: number, c: number) =>
    r >= 0 && c >= 0 && r < rows && c < columns && Number.isNaN(mean[r * columns + c] as number);
  const isCut = new Uint8Array(columns);
  for (let r = 0; r < rows; r++) {
    const rowCount = cellStart(r + 1, queries, rows) - cellStart(r, queries, rows);
    let whole = 0;
    let cut = 0;
    for (let c = 0; c < columns; c++) {
      const value = mean[r * columns + c] as number;
      if (Number.isNaN(value)) continue;
      const count = rowCount * (cellStart(c + 1, keys, columns) - cellStart(c, keys, columns));
      masses[r * columns + c] = value * count;
      const isEdge =
        count > 1 &&
        (isMasked(r, c - 1) || isMasked(r, c + 1) || isMasked(r - 1, c) || isMasked(r + 1, c));
      isCut[c] = isEdge ? 1 : 0;
      if (isEdge) cut += value * count;
      else whole += value * count;
    }
    if (isSigned) continue;
    const isOver = whole > rowCount * (1 + 1e-3);
    const ofWhole = isOver ? rowCount / (whole + cut) : 1;
    const ofCut = isOver ? ofWhole : cut > 0 ? Math.min(1, Math.max(0, rowCount - whole) / cut) : 1;
    for (let c = 0; c < columns; c++) {
      const at = r * columns + c;
      masses[at] = (masses[at] as number) * (isCut[c] === 1 ? ofCut : ofWhole);
    }
  }
  return masses;
}
