import { memoLast } from '../memo-last';
import { rgbOf } from '../rgb';
import { scalePosition } from './color';
import { divergingColor, lightness, signedPosition } from './diverging';
import type { MapColors, MapScene } from './draw';
import { pixelsPer } from './frame';
import { type MapExact, SIDE } from './layer';

const GRID_PIXELS = 12;
const TEXT_PIXELS = 44;

const HATCH_PIXELS = 6;

/**
 * The hatch of masked elements in pixels of the screen: painted one pixel per element, it would be a
 * chequerboard that reads as values.
 */
function hatchMasked(
  context: CanvasRenderingContext2D,
  { view, frame, exact: { rect, layer } }: MapScene & { readonly exact: MapExact },
  colors: MapColors,
): void {
  const { perKey, perQuery } = pixelsPer(frame, view);
  const pattern = context.createPattern(hatchTile(colors.masked, colors.maskedLine), 'repeat');
  if (pattern === null) return;
  context.beginPath();
  for (let r = 0; r < layer.rows; r++) {
    const y = frame.top + (rect.queryStart + r - view.queryStart) * perQuery;
    for (let start = 0; start < layer.columns; start++) {
      let end = start;
      while (end < layer.columns && Number.isNaN(layer.values[r * layer.columns + end])) end++;
      if (end > start) {
        const x = frame.left + (rect.keyStart + start - view.keyStart) * perKey;
        context.rect(x, y, (end - start) * perKey, perQuery);
        start = end;
      }
    }
  }
  context.fillStyle = pattern;
  context.fill();
}

const hatchTile = memoLast((masked: string, maskedLine: string): OffscreenCanvas => {
  const tile = new OffscreenCanvas(HATCH_PIXELS, HATCH_PIXELS);
  const context = tile.getContext('2d');
  if (context === null) return tile;
  context.fillStyle = masked;
  context.fillRect(0, 0, HATCH_PIXELS, HATCH_PIXELS);
  context.fillStyle = maskedLine;
  for (let i = 0; i < HATCH_PIXELS; i++) context.fillRect(HATCH_PIXELS - 1 - i, i, 1, 1);
  return tile;
});

/** Once elements are large: their borders, and their values where a number fits. */
export function drawElements(
  context: CanvasRenderingContext2D,
  scene: MapScene & { readonly exact: MapExact },
  colors: MapColors,
): void {
  const { view, frame, exact, scale, top } = scene;
  const { perKey, perQuery } = pixelsPer(frame, view);
  if (Math.min(perKey, perQuery) < GRID_PIXELS) return;
  hatchMasked(context, scene, colors);
  const { rect, layer } = exact;
  const hasText = Math.min(perKey, perQuery * 2) >= TEXT_PIXELS;
  const paper = rgbOf(colors.paper);
  const isDark = (value: number) =>
    layer.sides === undefined
      ? scalePosition(value, scale, top) <= 0.6
      : lightness(divergingColor(signedPosition(value, scale, top), paper)) < 0.5;
  context.lineWidth = 1;
  context.font = '10px ui-monospace, monospace';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let q = rect.queryStart; q < rect.queryEnd; q++) {
    for (let k = rect.keyStart; k < rect.keyEnd; k++) {
      const x = frame.left + (k - view.keyStart) * perKey;
      const y = frame.top + (q - view.queryStart) * perQuery;
      const at = (q - rect.queryStart) * layer.columns + (k - rect.keyStart);
      const value = layer.values[at] as number;
      const isOneSided =
        layer.sides !== undefined && !Number.isNaN(value) && layer.sides[at] !== SIDE.both;
      context.strokeStyle = isOneSided ? colors.ink : colors.inkSoft;
      context.globalAlpha = isOneSided ? 0.7 : 0.25;
      context.strokeRect(x, y, perKey, perQuery);
      if (isOneSided) {
        context.beginPath();
        context.moveTo(x, y);
        context.lineTo(x + perKey, y + perQuery);
        context.stroke();
      }
      context.globalAlpha = 1;
      if (!hasText || Number.isNaN(value)) continue;
      // Lines of a one-sided element would run through its number.
      if (isOneSided) {
        context.fillStyle = colors.paper;
        context.fillRect(x + 2, y + perQuery / 2 - 7, perKey - 4, 14);
        context.fillStyle = colors.ink;
      } else {
        context.fillStyle = isDark(value) ? '#fff' : '#000';
      }
      context.fillText(elementText(value), x + perKey / 2, y + perQuery / 2);
    }
  }
}

const elementText = (value: number) =>
  value !== 0 && Math.abs(value) < 0.0005 ? value.toExponential(0) : value.toFixed(3);
