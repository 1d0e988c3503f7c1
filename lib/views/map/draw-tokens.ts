import type { MapColors, MapScene } from './draw';
import { pixelsPer, TOKEN_PIXELS } from './frame';

/** Pixels that a line of text needs. */
const LINE_PIXELS = 10;
const GAP = 3;

/**
 * Tokens along both axes where a line has room for each: of keys upright above the map, of queries at
 * its left. Queries are the last positions of the keys.
 */
export function drawTokens(
  context: CanvasRenderingContext2D,
  { view, frame, queries, keys, labels }: MapScene,
  tokens: readonly string[],
  colors: MapColors,
): void {
  const { left, top, right, bottom } = frame;
  const { perKey, perQuery } = pixelsPer(frame, view);
  // Labels of segments lie between the tokens and the map.
  const [above, beside] = labels === undefined ? [GAP, GAP] : [GAP + 16, GAP + 4];
  context.fillStyle = colors.ink;
  context.font = '10px ui-monospace, monospace';
  context.textBaseline = 'middle';
  if (perKey >= LINE_PIXELS) {
    context.textAlign = 'left';
    for (let key = Math.ceil(view.keyStart - 0.5); key < view.keyEnd - 0.5; key++) {
      context.save();
      context.translate(Math.min(right, left + (key + 0.5 - view.keyStart) * perKey), top - above);
      context.rotate(-Math.PI / 2);
      context.fillText(fitted(context, tokens[key] ?? ''), 0, 0);
      context.restore();
    }
  }
  if (perQuery >= LINE_PIXELS) {
    context.textAlign = 'right';
    for (let query = Math.ceil(view.queryStart - 0.5); query < view.queryEnd - 0.5; query++) {
      const y = Math.min(bottom, top + (query + 0.5 - view.queryStart) * perQuery);
      context.fillText(fitted(context, tokens[keys - queries + query] ?? ''), left - beside, y);
    }
  }
  context.textAlign = 'left';
}

/** The token, or as much of it as there is room for. */
function fitted(context: CanvasRenderingContext2D, token: string): string {
  const room = TOKEN_PIXELS - 2 * GAP;
  const plain = token.replaceAll(/\s/g, '\u2423');
  if (context.measureText(plain).width <= room) return plain;
  let end = plain.length - 1;
  while (end > 0 && context.measureText(`${plain.slice(0, end)}…`).width > room) end--;
  return `${plain.slice(0, end)}…`;
}
