import type { BlockList } from '../../attention/types';
import { type BlockOutlines, type Outline, SEGMENT } from './block-outline';
import type { MapColors, MapScene } from './draw';
import { pixelsPer } from './frame';

/** From this many pixels on, each block of a region has its own border. */
const GRID_PIXELS = 7;
/** The outline lies this far inside its region, so that neighbours show both of theirs. */
const INSET = 1;

/** The kernel's block list, and where its regions end. */
export interface MapBlocks {
  readonly list: BlockList;
  readonly outlines: BlockOutlines;
}

type Trace = (x0: number, y0: number, x1: number, y1: number) => void;

/** Lines that are stroked more than once are traced once. */
function pathOf(draw: (trace: Trace) => void): Path2D {
  const path = new Path2D();
  draw((x0, y0, x1, y1) => {
    path.moveTo(x0, y0);
    path.lineTo(x1, y1);
  });
  return path;
}

/** Outlines of full (solid) and partial (dashed) blocks over the values; skipped ones have none. */
export function drawBlocks(
  context: CanvasRenderingContext2D,
  scene: MapScene & { readonly blocks: MapBlocks },
  colors: MapColors,
): void {
  const { list, outlines } = scene.blocks;
  const { perKey, perQuery } = pixelsPer(scene.frame, scene.view);
  context.lineCap = 'butt';
  const blockPixels = Math.min(perKey * list.blockKeys, perQuery * list.blockQueries);
  // Around blocks of a few pixels a halo would cover what they hold.
  const halo = blockPixels >= GRID_PIXELS ? 3 : 2;
  if (blockPixels >= GRID_PIXELS) {
    context.globalAlpha = 0.45;
    strokePath(
      context,
      pathOf((trace) => traceGrid(scene, trace)),
      colors.blockHalo,
      1,
      [],
    );
    context.globalAlpha = 1;
  }
  for (const [outline, color, dash] of [
    [outlines.full, colors.blockFull, []],
    [outlines.partial, colors.blockPartial, [4, 2]],
  ] as const) {
    const path = pathOf((trace) => traceOutline(scene, outline, trace));
    strokePath(context, path, colors.blockHalo, halo, []);
    strokePath(context, path, color, halo / 2, dash);
  }
}

function strokePath(
  context: CanvasRenderingContext2D,
  path: Path2D,
  color: string,
  width: number,
  dash: readonly number[],
): void {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.setLineDash([...dash]);
  context.stroke(path);
  context.setLineDash([]);
}

function traceOutline(
  { view, frame, queries, keys, blocks }: MapScene & { readonly blocks: MapBlocks },
  { horizontal, vertical }: Outline,
  trace: Trace,
): void {
  const { blockQueries, blockKeys } = blocks.list;
  const { perKey, perQuery } = pixelsPer(frame, view);
  const x = (column: number) =>
    frame.left + (Math.min(keys, column * blockKeys) - view.keyStart) * perKey;
  const y = (row: number) =>
    frame.top + (Math.min(queries, row * blockQueries) - view.queryStart) * perQuery;
  for (let i = 0; i < horizontal.length; i += SEGMENT) {
    const at = y(horizontal[i] as number) + (horizontal[i + 3] as number) * INSET;
    if (at < frame.top || at > frame.bottom) continue;
    const from = Math.max(frame.left, x(horizontal[i + 1] as number));
    const to = Math.min(frame.right, x(horizontal[i + 2] as number));
    if (to > from) trace(from, at, to, at);
  }
  for (let i = 0; i < vertical.length; i += SEGMENT) {
    const at = x(vertical[i] as number) + (vertical[i + 3] as number) * INSET;
    if (at < frame.left || at > frame.right) continue;
    const from = Math.max(frame.top, y(vertical[i + 1] as number));
    const to = Math.min(frame.bottom, y(vertical[i + 2] as number));
    if (to > from) trace(at, from, at, to);
  }
}

/** Borders between visited neighbours in view. */
function traceGrid(
  { view, frame, queries, keys, blocks }: MapScene & { readonly blocks: MapBlocks },
  trace: Trace,
): void {
  const { blockQueries, blockKeys, queryBlocks, offsets, blocks: columns } = blocks.list;
  const { perKey, perQuery } = pixelsPer(frame, view);
  const last = Math.min(queryBlocks, Math.ceil(view.queryEnd / blockQueries));
  for (let r = Math.max(0, Math.floor(view.queryStart / blockQueries)); r < last; r++) {
    const top = frame.top + (r * blockQueries - view.queryStart) * perQuery;
    const bottom =
      frame.top + (Math.min(queries, (r + 1) * blockQueries) - view.queryStart) * perQuery;
    for (let e = offsets[r] as number; e < (offsets[r + 1] as number); e++) {
      const column = columns[e] as number;
      const left = frame.left + (column * blockKeys - view.keyStart) * perKey;
      const right =
        frame.left + (Math.min(keys, (column + 1) * blockKeys) - view.keyStart) * perKey;
      if (right < frame.left || left > frame.right) continue;
      trace(left, bottom, right, bottom);
      trace(right, top, right, bottom);
    }
  }
}
