import { scaleLinear } from 'd3-scale';
import type { MapBase, MapWindow } from '../../attention/types';
import { memoLast } from '../memo-last';
import { type Rgb, rgbOf } from '../rgb';
import { paintValues, scalePosition } from './color';
import type { Viewport } from './viewport';

export interface MapScene {
  readonly base: MapBase;
  readonly window: MapWindow | undefined;
  readonly view: Viewport;
  readonly aggregate: 'max' | 'mean';
  readonly scale: 'log' | 'linear';
  readonly width: number;
  readonly height: number;
  readonly cursor: { readonly query: number; readonly key: number } | undefined;
}

export interface MapColors {
  readonly ink: string;
  readonly inkSoft: string;
  readonly paper: string;
  readonly accent: string;
  readonly masked: string;
  readonly maskedLine: string;
}

export const LEFT = 46;
export const TOP = 18;
const GRID_PIXELS = 12;
const TEXT_PIXELS = 44;

/** Largest value of the scale: 1 for probabilities seen exactly or as maxima, the largest mean otherwise. */
export function scaleTop({ base, aggregate }: Pick<MapScene, 'base' | 'aggregate'>): number {
  if (aggregate === 'max') return 1;
  let top = 0;
  for (const value of base.mean) if (value > top) top = value;
  return top > 0 ? top : 1;
}

export function elementAt(
  x: number,
  y: number,
  { view, width, height }: Pick<MapScene, 'view' | 'width' | 'height'>,
) {
  return {
    key: view.keyStart + ((x - LEFT) / (width - LEFT)) * (view.keyEnd - view.keyStart),
    query: view.queryStart + ((y - TOP) / (height - TOP)) * (view.queryEnd - view.queryStart),
  };
}

/** Draws one map; made once per view, so that panning repaints no values. */
export type MapDraw = (
  context: CanvasRenderingContext2D,
  scene: MapScene,
  colors: MapColors,
) => void;

export function createMapDraw(): MapDraw {
  const paintBase = memoLast(paintCanvas);
  const paintWindow = memoLast(paintCanvas);
  return (context, scene, colors) => drawMap(context, scene, colors, { paintBase, paintWindow });
}

type Paint = typeof paintCanvas;

function paintCanvas(
  values: Float32Array,
  rows: number,
  columns: number,
  scale: 'log' | 'linear',
  top: number,
  masked: Rgb,
  maskedLine: Rgb,
): OffscreenCanvas {
  const canvas = new OffscreenCanvas(columns, rows);
  const image = new ImageData(columns, rows);
  paintValues(image.data, values, columns, scale, top, [masked, maskedLine]);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}

/** The reduction, and over it the exact window where there is one. */
function drawMap(
  context: CanvasRenderingContext2D,
  scene: MapScene,
  colors: MapColors,
  { paintBase, paintWindow }: { readonly paintBase: Paint; readonly paintWindow: Paint },
): void {
  const { base, window, view, width, height } = scene;
  const top = scaleTop(scene);
  const masked = rgbOf(colors.masked);
  const maskedLine = rgbOf(colors.maskedLine);
  const perKey = (width - LEFT) / (view.keyEnd - view.keyStart);
  const perQuery = (height - TOP) / (view.queryEnd - view.queryStart);
  context.fillStyle = colors.paper;
  context.fillRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(LEFT, TOP, width - LEFT, height - TOP);
  context.clip();
  context.imageSmoothingEnabled = false;
  const values = scene.aggregate === 'max' ? base.max : base.mean;
  context.drawImage(
    paintBase(values, base.rows, base.columns, scene.scale, top, masked, maskedLine),
    LEFT - view.keyStart * perKey,
    TOP - view.queryStart * perQuery,
    base.keys * perKey,
    base.queries * perQuery,
  );
  if (window !== undefined) {
    const rows = window.queryEnd - window.queryStart;
    const columns = window.keyEnd - window.keyStart;
    context.drawImage(
      paintWindow(window.probabilities, rows, columns, scene.scale, top, masked, maskedLine),
      LEFT + (window.keyStart - view.keyStart) * perKey,
      TOP + (window.queryStart - view.queryStart) * perQuery,
      columns * perKey,
      rows * perQuery,
    );
    if (Math.min(perKey, perQuery) >= GRID_PIXELS)
      drawGrid(context, scene, window, perKey, perQuery, colors, top);
  }
  if (scene.cursor !== undefined) {
    const x = LEFT + (scene.cursor.key - view.keyStart) * perKey;
    const y = TOP + (scene.cursor.query - view.queryStart) * perQuery;
    context.strokeStyle = colors.accent;
    context.lineWidth = 2;
    context.strokeRect(x - 1, y - 1, Math.max(6, perKey + 2), Math.max(6, perQuery + 2));
  }
  context.restore();
  drawAxes(context, scene, colors);
}

function drawGrid(
  context: CanvasRenderingContext2D,
  { view, scale }: MapScene,
  window: MapWindow,
  perKey: number,
  perQuery: number,
  colors: MapColors,
  top: number,
): void {
  const columns = window.keyEnd - window.keyStart;
  context.lineWidth = 1;
  context.font = '10px ui-monospace, monospace';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let q = window.queryStart; q < window.queryEnd; q++) {
    for (let k = window.keyStart; k < window.keyEnd; k++) {
      const x = LEFT + (k - view.keyStart) * perKey;
      const y = TOP + (q - view.queryStart) * perQuery;
      context.strokeStyle = colors.inkSoft;
      context.globalAlpha = 0.25;
      context.strokeRect(x, y, perKey, perQuery);
      context.globalAlpha = 1;
      const value = window.probabilities[
        (q - window.queryStart) * columns + (k - window.keyStart)
      ] as number;
      if (Math.min(perKey, perQuery * 2) < TEXT_PIXELS || Number.isNaN(value)) continue;
      context.fillStyle = scalePosition(value, scale, top) > 0.6 ? '#000' : '#fff';
      context.fillText(
        value < 0.0005 ? value.toExponential(0) : value.toFixed(3),
        x + perKey / 2,
        y + perQuery / 2,
      );
    }
  }
}

function drawAxes(
  context: CanvasRenderingContext2D,
  { view, width, height }: MapScene,
  colors: MapColors,
): void {
  context.fillStyle = colors.inkSoft;
  context.font = '10px system-ui, sans-serif';
  const keys = scaleLinear([view.keyStart, view.keyEnd], [LEFT, width]);
  const queries = scaleLinear([view.queryStart, view.queryEnd], [TOP, height]);
  context.textBaseline = 'alphabetic';
  context.textAlign = 'left';
  for (const tick of keys.ticks(Math.max(2, width / 90)).filter(Number.isInteger))
    context.fillText(String(tick), keys(tick), TOP - 5);
  context.textAlign = 'right';
  context.textBaseline = 'top';
  for (const tick of queries.ticks(Math.max(2, height / 60)).filter(Number.isInteger))
    context.fillText(String(tick), LEFT - 4, queries(tick));
  context.textAlign = 'left';
  context.fillText('q \\ k', 2, 2);
}
