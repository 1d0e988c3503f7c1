import { interpolatePuOr } from 'd3-scale-chromatic';
import { memoLast } from '../memo-last';
import type { Rgb } from '../rgb';
import { scalePosition } from './color';
import { type MapLayer, SIDE } from './layer';

const HALF_STEPS = 512;
/** Ends of the scale on a dark page: light enough to stand out of it. */
const DARK_ENDS = { first: 0.74, second: 0.24 } as const;
/** How much of the ink is in the lines over cells that one operand masks. */
const LINE_INK = 0.3;
/** Cells from one line to the next: far enough apart to see the colours between. */
const LINE_CELLS = 6;

/** The parts of the theme that a difference is painted in. */
export interface DifferencePaint {
  readonly paper: Rgb;
  readonly ink: Rgb;
  readonly masked: Rgb;
  readonly maskedLine: Rgb;
}

/** Relative luminance, roughly: enough to tell dark from light. */
export const lightness = ([r, g, b]: Rgb) => (0.299 * r + 0.587 * g + 0.114 * b) / 255;

const mix = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

function channelsOf(color: string): Rgb {
  const numbers = color.startsWith('#')
    ? [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
    : (color.match(/\d+/g) ?? []).map(Number);
  return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0];
}

/**
 * Colour of a position in [-1, 1] on the page's own paper: orange where the first is larger, purple
 * where the second is, told apart by every common form of colour vision. The middle is the lightest
 * on light paper and the paper itself on dark, so that strength is always contrast to the page.
 */
export function divergingColor(position: number, paper: Rgb): Rgb {
  if (lightness(paper) >= 0.5) return channelsOf(interpolatePuOr(0.5 + position / 2));
  const end = channelsOf(interpolatePuOr(position > 0 ? DARK_ENDS.first : DARK_ENDS.second));
  return mix(paper, end, Math.abs(position));
}

/** Below this share of the top a symmetric log scale is about linear. */
const LINEAR_SHARE = 1 / 300;

/**
 * Position of a signed value on the scale, in [-1, 1]. The log scale is symmetric, log(1 + |v| / c)
 * with c a share of the top: the many small weights of a dense map stay small, where a scale of
 * decades would show all of them as large.
 */
export function signedPosition(value: number, scale: 'log' | 'linear', top: number): number {
  const magnitude = Math.abs(value);
  if (scale === 'linear') return Math.sign(value) * scalePosition(magnitude, scale, top);
  const position = Math.log1p(magnitude / (LINEAR_SHARE * top)) / Math.log1p(1 / LINEAR_SHARE);
  return Math.sign(value) * Math.min(1, position);
}

/** The magnitude half-way between the middle of the scale and its end. */
export function signedHalf(scale: 'log' | 'linear', top: number): number {
  return scale === 'linear'
    ? top / 2
    : LINEAR_SHARE * top * Math.expm1(Math.log1p(1 / LINEAR_SHARE) / 2);
}

const colorTable = memoLast((red: number, green: number, blue: number): Uint8ClampedArray => {
  const table = new Uint8ClampedArray(3 * (2 * HALF_STEPS + 1));
  for (let i = -HALF_STEPS; i <= HALF_STEPS; i++) {
    table.set(divergingColor(i / HALF_STEPS, [red, green, blue]), 3 * (i + HALF_STEPS));
  }
  return table;
});

/**
 * Differences as RGBA pixels. Masked in both is the hatch of a plain map; masked in one only has
 * lines of ink the other way over the colour of its value.
 */
export function paintDifference(
  pixels: Uint8ClampedArray,
  { columns, values, sides }: MapLayer,
  scale: 'log' | 'linear',
  top: number,
  { paper, ink, masked, maskedLine }: DifferencePaint,
): void {
  const table = colorTable(...paper);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const at = 4 * i;
    const row = Math.floor(i / columns);
    const column = i % columns;
    if (Number.isNaN(value)) {
      pixels.set((row + column) % 4 === 0 ? maskedLine : masked, at);
    } else {
      const step = 3 * (Math.round(signedPosition(value, scale, top) * HALF_STEPS) + HALF_STEPS);
      const isLine =
        sides?.[i] !== SIDE.both && (row - column + columns * LINE_CELLS) % LINE_CELLS === 0;
      for (let k = 0; k < 3; k++) {
        const color = table[step + k] as number;
        pixels[at + k] = isLine ? color + ((ink[k] as number) - color) * LINE_INK : color;
      }
    }
    pixels[at + 3] = 255;
  }
}

/** The scale from -top to top for a legend. */
export function divergingGradient(paper: Rgb): string {
  const stops = Array.from({ length: 9 }, (_, i) => {
    const [r, g, b] = divergingColor(i / 4 - 1, paper).map(Math.round);
    return `rgb(${r}, ${g}, ${b})`;
  });
  return `linear-gradient(to right, ${stops.join(', ')})`;
}
