/** How a picture of slots is laid out: a row per (layer, KV head), a column per text position. */
export interface SlotLayout {
  readonly rows: number;
  readonly columns: number;
  /** Pixels of a column; below 1 several positions share one. */
  readonly columnWidth: number;
  readonly rowHeight: number;
  /** Rows of one layer stand together, with this much between layers. */
  readonly layerGap: number;
  readonly kvHeads: number;
  readonly width: number;
  readonly height: number;
}

const ROW_HEIGHT = 11;
const LAYER_GAP = 6;

/** @param width CSS pixels that are there */
export function slotLayout(
  layers: number,
  kvHeads: number,
  columns: number,
  width: number,
): SlotLayout {
  return {
    rows: layers * kvHeads,
    columns,
    columnWidth: width / Math.max(1, columns),
    rowHeight: ROW_HEIGHT,
    layerGap: LAYER_GAP,
    kvHeads,
    width,
    height: layers * kvHeads * ROW_HEIGHT + (layers - 1) * LAYER_GAP,
  };
}

/** Top of a row, in CSS pixels. */
export function rowTop({ rowHeight, layerGap, kvHeads }: SlotLayout, row: number): number {
  return row * rowHeight + Math.floor(row / kvHeads) * layerGap;
}

/** The row and column under a point, or undefined between layers and outside. */
export function slotAt(
  layout: SlotLayout,
  x: number,
  y: number,
): { readonly row: number; readonly column: number } | undefined {
  const { rows, columns, columnWidth, rowHeight, layerGap, kvHeads } = layout;
  const column = Math.floor(x / columnWidth);
  const layerHeight = kvHeads * rowHeight + layerGap;
  const layer = Math.floor(y / layerHeight);
  const within = Math.floor((y - layer * layerHeight) / rowHeight);
  const row = layer * kvHeads + within;
  const inside = column >= 0 && column < columns && y >= 0 && within < kvHeads && row < rows;
  return inside ? { row, column } : undefined;
}
