import { scaleLinear } from 'd3-scale';
import type { MapColors, MapScene } from './draw';
import { LABEL_PIXELS, TOKEN_PIXELS } from './frame';

/** Ticks of keys above the map and of queries at its left. */
export function drawAxes(
  context: CanvasRenderingContext2D,
  { view, frame, labels, tokens }: Pick<MapScene, 'view' | 'frame' | 'labels' | 'tokens'>,
  colors: MapColors,
): void {
  const { left, top, right, bottom } = frame;
  // Labels and tokens lie between the ticks and the map.
  const room = tokens === undefined ? 0 : TOKEN_PIXELS;
  const above = 5 + room + (labels === undefined ? 0 : LABEL_PIXELS);
  const beside = 4 + room + (labels === undefined ? 0 : 4);
  context.fillStyle = colors.inkSoft;
  context.font = '10px system-ui, sans-serif';
  const keys = scaleLinear([view.keyStart, view.keyEnd], [left, right]);
  const queries = scaleLinear([view.queryStart, view.queryEnd], [top, bottom]);
  context.textBaseline = 'alphabetic';
  context.textAlign = 'left';
  for (const tick of keys.ticks(Math.max(2, (right - left) / 80)).filter(Number.isInteger)) {
    // A number that would leave the map at the right ends at its edge instead.
    const text = String(tick);
    const at = Math.min(keys(tick), right - context.measureText(text).width);
    context.fillText(text, at, top - above);
  }
  context.textAlign = 'right';
  context.textBaseline = 'top';
  for (const tick of queries.ticks(Math.max(2, (bottom - top) / 60)).filter(Number.isInteger))
    context.fillText(String(tick), left - beside, queries(tick));
  context.textAlign = 'left';
  context.fillText('q \\ k', 2, 2);
}
