import type { Rgb } from '../rgb';
import { paintValues } from './color';
import { paintDifference } from './diverging';
import type { MapLayer } from './layer';

/** A layer as a picture of one pixel per cell. */
export function paintLayer(
  layer: MapLayer,
  scale: 'log' | 'linear',
  top: number,
  masked: Rgb,
  maskedLine: Rgb,
  paper: Rgb,
  ink: Rgb,
): OffscreenCanvas {
  const { rows, columns, values, sides } = layer;
  const canvas = new OffscreenCanvas(columns, rows);
  const image = new ImageData(columns, rows);
  if (sides === undefined) {
    paintValues(image.data, values, columns, scale, top, [masked, maskedLine]);
  } else {
    paintDifference(image.data, layer, scale, top, { paper, ink, masked, maskedLine });
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}
