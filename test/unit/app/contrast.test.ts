import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const THEMES = ['light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const TOKENS = new Map(
  [...readFileSync('app/tokens.css', 'utf8').matchAll(/--([\w-]+):\s*([^;]+);/g)].map(
    ([, name = '', value = '']) => [name, value.trim()],
  ),
);

/** A token's colour in a theme as six hexadecimal digits. */
function colorOf(token: string, theme: Theme): string {
  const value = TOKENS.get(token) ?? '';
  const pair = /^light-dark\((#\w{6}), (#\w{6})\)$/.exec(value);
  const color = pair === null ? value : pair[theme === 'light' ? 1 : 2];
  if (color === undefined || !/^#[0-9a-f]{6}$/.test(color))
    throw new Error(`no colour: --${token}: ${value}`);
  return color.slice(1);
}

/** WCAG 2.2, relative luminance of an sRGB colour. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG 2.2, contrast ratio. */
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

test('the ratio is that of the definition', () => {
  expect(contrast('000000', 'ffffff')).toBeCloseTo(21, 10);
  expect(contrast('777777', 'ffffff')).toBeCloseTo(4.48, 2);
});

const BACKGROUNDS = ['paper', 'surface', 'surface-sunken'];
/** What is written in these is text. */
const TEXT = ['ink', 'ink-soft', 'accent', 'good', 'warn', 'bad'];
/** Signs beside the word that they stand for. */
const SIGNS = ['series-1', 'series-2'];
/** What is drawn in these means something, and is no text. */
const DRAWN = [
  'focus',
  'line-strong',
  'prefill',
  'decode',
  'link',
  'queue',
  ...Array.from({ length: 8 }, (_, i) => `series-${i + 1}`),
];

describe.each(THEMES)('%s theme', (theme) => {
  const below = (tokens: readonly string[], backgrounds: readonly string[], least: number) =>
    tokens.flatMap((token) =>
      backgrounds
        .map((background) => ({
          on: `${token} on ${background}`,
          ratio: contrast(colorOf(token, theme), colorOf(background, theme)),
        }))
        .filter(({ ratio }) => ratio < least),
    );

  test('text stands out by 4.5 to 1', () => {
    expect(below(TEXT, BACKGROUNDS, 4.5)).toEqual([]);
    expect(below(['ink', 'ink-soft', 'accent'], ['accent-soft'], 4.5)).toEqual([]);
    expect(below(['accent-ink'], ['accent'], 4.5)).toEqual([]);
  });

  test('focus, borders that matter and marks stand out by 3 to 1', () => {
    expect(below(DRAWN, ['paper', 'surface'], 3)).toEqual([]);
  });
});

test('text is written in those colours alone', () => {
  const sheets = readdirSync('app', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.css'))
    .map((path) => readFileSync(`app/${path}`, 'utf8'));
  const written = sheets.flatMap((sheet) =>
    [...sheet.matchAll(/(?<![-\w])color:\s*var\(--([\w-]+)\)/g)].map(([, token]) => token ?? ''),
  );
  expect(written).toContain('ink-soft');
  expect(
    [...new Set(written)].filter((token) => ![...TEXT, ...SIGNS, 'accent-ink'].includes(token)),
  ).toEqual([]);
});
