import { scaleLinear } from 'd3-scale';
import type { MapColors, MapScene } from './draw';

/** Ticks of keys above the map and of queries at its left. */
export function drawAxes(
  context: CanvasRenderingContext2D,
  { view, frame }: Pick<MapScene, 'view' | 'frame'>,
  colors: MapColors,
): void {
  const { left, top, right, bottom } = frame;
  context.fillStyle = colors.inkSoft;
  context.font = '10px system-ui, sans-serif';
  const keys = scaleLinear([view.keyStart, view.keyEnd], [left, right]);
  const queries = scaleLinear([view.queryStart, view.queryEnd], [top, bottom]);
  context.textBaseline = 'alphabetic';
  context.textAlign = 'left';
  for (const tick of keys.ticks(Math.max(2, (right - left) / 80)).filter(Number.isInteger))
    context.fillText(String(tick), keys(tick), top - 5);
  context.textAlign = 'right';
  context.textBaseline = 'top';
  for (const tick of queries.ticks(Math.max(2, (bottom - top) / 60)).filter(Number.isInteger))
    context.fillText(String(tick), left - 4, queries(tick));
  context.textAlign = 'left';
  context.fillText('q \\ k', 2, 2);
}
