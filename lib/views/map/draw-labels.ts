import { runAt, type TokenLabels } from '../../attention/token-labels';
import type { MapColors, MapScene } from './draw';

const STRIP_PIXELS = 4;

/**
 * A strip along both axes that changes its colour with the label, and the labels themselves above
 * the keys where they fit. Neighbouring segments alternate; a class keeps its colour.
 */
export function drawLabels(
  context: CanvasRenderingContext2D,
  { view, frame, queries, keys }: MapScene,
  labels: TokenLabels,
  colors: MapColors,
): void {
  const { left, top, right, bottom } = frame;
  context.font = '10px system-ui, sans-serif';
  context.textBaseline = 'alphabetic';
  context.textAlign = 'center';
  // Queries are the last positions of the keys.
  const first = keys - queries;
  forEachRun(labels, view.keyStart, view.keyEnd, keys, (start, end, value, color) => {
    const perKey = (right - left) / (view.keyEnd - view.keyStart);
    const from = left + (start - view.keyStart) * perKey;
    const width = (end - start) * perKey;
    context.fillStyle = colors.series[color] as string;
    context.fillRect(from, top - STRIP_PIXELS, width, STRIP_PIXELS);
    const text = [`${labels.name} ${value}`, `${value}`].find(
      (each) => context.measureText(each).width + 4 <= width,
    );
    if (text === undefined) return;
    context.fillStyle = colors.inkSoft;
    context.fillText(text, from + width / 2, top - STRIP_PIXELS - 3);
  });
  const [queryStart, queryEnd] = [first + view.queryStart, first + view.queryEnd];
  forEachRun(labels, queryStart, queryEnd, keys, (start, end, _, color) => {
    const perQuery = (bottom - top) / (queryEnd - queryStart);
    context.fillStyle = colors.series[color] as string;
    const from = top + (start - queryStart) * perQuery;
    context.fillRect(left - STRIP_PIXELS, from, STRIP_PIXELS, (end - start) * perQuery);
  });
  context.textAlign = 'left';
}

/** Runs that meet [from, to), cut to it. */
function forEachRun(
  { source, runs }: TokenLabels,
  from: number,
  to: number,
  length: number,
  visit: (start: number, end: number, value: number, color: number) => void,
): void {
  const { starts, values } = runs;
  // Queries before the first key have no label.
  for (let i = runAt(runs, Math.max(0, from)); i < starts.length; i++) {
    const start = starts[i] as number;
    if (start >= to) return;
    const end = starts[i + 1] ?? length;
    const value = values[i] as number;
    const colors = source === 'classes' ? 8 : 2;
    if (end > from) visit(Math.max(from, start), Math.min(to, end), value, value % colors);
  }
}
