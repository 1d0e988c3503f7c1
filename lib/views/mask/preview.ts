import { buildBlockList } from '../../attention/block-list';
import type { AttentionProgram } from '../../attention/program';
import type { AttentionShape } from '../../spec/kinds/attention';
import { rgbOf } from '../rgb';

/** Cells of a preview, at most, on a side. */
const CELLS = 96;
/** Elements looked at on a side of an undecided cell. */
const LOOKS = 3;

/** One head's mask at a glance: what share of each cell is seen, and what the block list would do with it. */
export interface MaskPreview {
  readonly rows: number;
  readonly columns: number;
  readonly queriesPerCell: number;
  readonly keysPerCell: number;
  /** Row-major, 0 (nothing) to 1 (all); undecided cells are sampled. */
  readonly shares: Float32Array;
  readonly full: number;
  readonly partial: number;
  readonly none: number;
}

/** By interval arithmetic per cell; only undecided cells are sampled, so the length does not matter. */
export function previewMask(
  program: AttentionProgram,
  shape: AttentionShape,
  head: number,
): MaskPreview {
  const queriesPerCell = Math.ceil(shape.queries / CELLS);
  const keysPerCell = Math.ceil(shape.keys / CELLS);
  const list = buildBlockList(program, shape, 0, [head, head], queriesPerCell, keysPerCell);
  const { queryBlocks: rows, keyBlocks: columns, offsets, fullCounts, blocks } = list;
  const shares = new Float32Array(rows * columns);
  let full = 0;
  for (let r = 0; r < rows; r++) {
    const start = offsets[r] as number;
    const fullEnd = start + (fullCounts[r] as number);
    for (let e = start; e < (offsets[r + 1] as number); e++) {
      const c = blocks[e] as number;
      const share =
        e < fullEnd
          ? 1
          : sampledShare(
              program,
              shape,
              head,
              r * queriesPerCell,
              queriesPerCell,
              c * keysPerCell,
              keysPerCell,
            );
      if (e < fullEnd) full++;
      shares[r * columns + c] = share;
    }
  }
  return {
    rows,
    columns,
    queriesPerCell,
    keysPerCell,
    shares,
    full,
    partial: blocks.length - full,
    none: rows * columns - blocks.length,
  };
}

function sampledShare(
  program: AttentionProgram,
  { queries, keys }: AttentionShape,
  head: number,
  queryStart: number,
  queryCount: number,
  keyStart: number,
  keyCount: number,
): number {
  const rows = Math.min(queryCount, queries - queryStart);
  const columns = Math.min(keyCount, keys - keyStart);
  const [lookRows, lookColumns] = [Math.min(LOOKS, rows), Math.min(LOOKS, columns)];
  let seen = 0;
  for (let i = 0; i < lookRows; i++) {
    const q = queryStart + Math.floor(((i + 0.5) * rows) / lookRows);
    for (let j = 0; j < lookColumns; j++) {
      const k = keyStart + Math.floor(((j + 0.5) * columns) / lookColumns);
      if (program.isVisible(0, head, q, k)) seen++;
    }
  }
  return seen / (lookRows * lookColumns);
}

/** Paints a preview, one pixel per cell, from the colour of nothing to the colour of all. */
export function drawMaskPreview(
  context: CanvasRenderingContext2D,
  { rows, columns, shares }: MaskPreview,
  colors: { readonly none: string; readonly all: string },
): void {
  const image = context.createImageData(columns, rows);
  const none = rgbOf(colors.none);
  const all = rgbOf(colors.all);
  shares.forEach((share, i) => {
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = (none[c] as number) * (1 - share) + (all[c] as number) * share;
    }
    image.data[4 * i + 3] = 255;
  });
  context.putImageData(image, 0, 0);
}
