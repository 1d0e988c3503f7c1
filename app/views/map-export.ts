import type { MapRect } from '../../lib/attention/types';
import { captionedPng } from '../../lib/views/map/caption';
import { differenceCsv, windowCsv } from '../../lib/views/map/csv';
import { saveBlob, saveText } from '../state/save';
import type { MapHead } from './use-map-data';

const CSV_CELLS = 256;

export async function saveMapPng(
  canvas: HTMLCanvasElement,
  width: number,
  colors: { readonly paper: string; readonly ink: string },
  lines: readonly string[],
  name: string,
): Promise<void> {
  saveBlob(await captionedPng(canvas, width, colors, lines), `${name}.png`);
}

/** The first elements of what is visible, exactly; of a difference both operands. */
export async function saveMapCsv(
  first: MapHead,
  second: MapHead | undefined,
  shown: MapRect,
  name: string,
  valueName: 'probability' | 'weight',
): Promise<void> {
  const rect = {
    ...shown,
    queryEnd: Math.min(shown.queryEnd, shown.queryStart + CSV_CELLS),
    keyEnd: Math.min(shown.keyEnd, shown.keyStart + CSV_CELLS),
  };
  const windowOf = ({ source, batch, head }: MapHead) =>
    source.lane('csv').window(batch, head, rect);
  const [a, b] = await Promise.all([windowOf(first), second && windowOf(second)]);
  const text = b === undefined ? windowCsv(a, valueName) : differenceCsv(a, b, valueName);
  saveText(text, `${name}.csv`, 'text/csv');
}
