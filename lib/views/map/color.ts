import { interpolateViridis } from 'd3-scale-chromatic';
import type { Rgb } from '../rgb';

/** Below this a log scale shows its darkest colour. */
export const LOG_FLOOR = 1e-6;
const STEPS = 1024;

let table: Uint8ClampedArray | undefined;

/** The colours of [0, 1] as RGB triples; perceptually uniform, and distinct from the hatch of masked cells in both themes. */
function colorTable(): Uint8ClampedArray {
  if (table !== undefined) return table;
  table = new Uint8ClampedArray(STEPS * 3);
  for (let i = 0; i < STEPS; i++) {
    const text = interpolateViridis(i / (STEPS - 1));
    const channels = text.startsWith('#')
      ? [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16))
      : (text.match(/\d+/g) ?? []).map(Number);
    for (let c = 0; c < 3; c++) table[3 * i + c] = channels[c] ?? 0;
  }
  return table;
}

/** Position of a probability on the scale, in [0, 1]. */
export function scalePosition(probability: number, scale: 'log' | 'linear', top: number): number {
  if (scale === 'linear') return Math.min(1, probability / top);
  if (probability <= LOG_FLOOR) return 0;
  return Math.min(1, Math.log(probability / LOG_FLOOR) / Math.log(top / LOG_FLOOR));
}

/**
 * Values as RGBA pixels. Masked ones (NaN) are a diagonal hatch of two colours, so that they never
 * look like a value of zero.
 */
export function paintValues(
  pixels: Uint8ClampedArray,
  values: Float32Array,
  columns: number,
  scale: 'log' | 'linear',
  top: number,
  hatch: readonly [Rgb, Rgb],
): void {
  const colors = colorTable();
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const at = 4 * i;
    if (Number.isNaN(value)) {
      const diagonal = Math.floor(i / columns) + (i % columns);
      pixels.set(diagonal % 4 === 0 ? hatch[1] : hatch[0], at);
    } else {
      const step = 3 * Math.round(scalePosition(value, scale, top) * (STEPS - 1));
      for (let k = 0; k < 3; k++) pixels[at + k] = colors[step + k] as number;
    }
    pixels[at + 3] = 255;
  }
}

/** Legend ticks: decades on a log scale, quarters on a linear one. */
export function legendTicks(scale: 'log' | 'linear', top: number): readonly number[] {
  if (scale === 'linear') return [0, top / 2, top];
  return [LOG_FLOOR, 1e-4, 1e-2, 1].filter((tick) => tick < top).concat(top);
}

export function legendGradient(): string {
  const stops = Array.from({ length: 9 }, (_, i) => interpolateViridis(i / 8));
  return `linear-gradient(to right, ${stops.join(', ')})`;
}
