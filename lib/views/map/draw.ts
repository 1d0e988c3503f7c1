import type { TokenLabels } from '../../attention/token-labels';
import { memoLast } from '../memo-last';
import { rgbOf } from '../rgb';
import { drawAxes } from './draw-axes';
import { drawBlocks, type MapBlocks } from './draw-blocks';
import { drawElements } from './draw-elements';
import { drawLabels } from './draw-labels';
import { drawProfiles } from './draw-profiles';
import { drawTokens } from './draw-tokens';
import { type MapFrame, pixelsPer } from './frame';
import type { MapExact, MapLayer } from './layer';
import { paintLayer } from './paint';
import type { MapProfiles } from './profiles';
import type { Viewport } from './viewport';

/** One element of a map. */
export interface MapElement {
  readonly query: number;
  readonly key: number;
}

export interface MapScene {
  /** The reduction of the whole map. */
  readonly layer: MapLayer;
  readonly queries: number;
  readonly keys: number;
  /** Exact values over a part of it. */
  readonly exact: MapExact | undefined;
  /** Drawn in the strips that the frame leaves free for them. */
  readonly profiles: MapProfiles | undefined;
  /** Outlined over the values. */
  readonly blocks: MapBlocks | undefined;
  /** Of the positions, along the axes. */
  readonly labels: TokenLabels | undefined;
  /** Of the keys, along the axes where they fit. */
  readonly tokens: readonly string[] | undefined;
  readonly view: Viewport;
  readonly scale: 'log' | 'linear';
  /** Largest magnitude of the colour scale. */
  readonly top: number;
  readonly frame: MapFrame;
  readonly width: number;
  readonly height: number;
  readonly cursor: MapElement | undefined;
  readonly hover: MapElement | undefined;
}

export interface MapColors {
  readonly ink: string;
  readonly inkSoft: string;
  readonly paper: string;
  readonly accent: string;
  readonly masked: string;
  readonly maskedLine: string;
  readonly blockFull: string;
  readonly blockPartial: string;
  readonly blockHalo: string;
  /** Of classes and of alternating segments. */
  readonly series: readonly string[];
}

/** Draws one map; made once per view, so that panning repaints no values. */
export type MapDraw = (
  context: CanvasRenderingContext2D,
  scene: MapScene,
  colors: MapColors,
) => void;

export function createMapDraw(): MapDraw {
  const paintBase = memoLast(paintLayer);
  const paintExact = memoLast(paintLayer);
  return (context, scene, colors) => {
    const { frame, width, height, profiles, blocks, labels, tokens } = scene;
    context.fillStyle = colors.paper;
    context.fillRect(0, 0, width, height);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
    context.clip();
    drawValues(context, scene, colors, paintBase, paintExact);
    if (blocks !== undefined) drawBlocks(context, { ...scene, blocks }, colors);
    drawCursor(context, scene, colors);
    context.restore();
    drawAxes(context, scene, colors);
    if (labels !== undefined) drawLabels(context, scene, labels, colors);
    if (tokens !== undefined) drawTokens(context, scene, tokens, colors);
    if (profiles !== undefined) drawProfiles(context, { ...scene, profiles }, colors);
  };
}

/** The reduction, and over it the exact values where there are some. */
function drawValues(
  context: CanvasRenderingContext2D,
  scene: MapScene,
  colors: MapColors,
  paintBase: typeof paintLayer,
  paintExact: typeof paintLayer,
): void {
  const { layer, exact, view, frame, scale, top } = scene;
  const { perKey, perQuery } = pixelsPer(frame, view);
  const paints = [colors.masked, colors.maskedLine, colors.paper, colors.ink].map(rgbOf) as [
    ReturnType<typeof rgbOf>,
    ReturnType<typeof rgbOf>,
    ReturnType<typeof rgbOf>,
    ReturnType<typeof rgbOf>,
  ];
  context.imageSmoothingEnabled = false;
  context.drawImage(
    paintBase(layer, scale, top, ...paints),
    frame.left - view.keyStart * perKey,
    frame.top - view.queryStart * perQuery,
    scene.keys * perKey,
    scene.queries * perQuery,
  );
  if (exact === undefined) return;
  context.drawImage(
    paintExact(exact.layer, scale, top, ...paints),
    frame.left + (exact.rect.keyStart - view.keyStart) * perKey,
    frame.top + (exact.rect.queryStart - view.queryStart) * perQuery,
    exact.layer.columns * perKey,
    exact.layer.rows * perQuery,
  );
  drawElements(context, { ...scene, exact }, colors);
}

function drawCursor(
  context: CanvasRenderingContext2D,
  { cursor, frame, view }: MapScene,
  colors: MapColors,
): void {
  if (cursor === undefined) return;
  const { perKey, perQuery } = pixelsPer(frame, view);
  const x = frame.left + (cursor.key - view.keyStart) * perKey;
  const y = frame.top + (cursor.query - view.queryStart) * perQuery;
  context.strokeStyle = colors.accent;
  context.lineWidth = 2;
  context.strokeRect(x - 1, y - 1, Math.max(6, perKey + 2), Math.max(6, perQuery + 2));
}
