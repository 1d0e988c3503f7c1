import type { MapWindow } from '../../attention/types';

/** A window's probabilities as CSV, one element per row; a masked one has no probability. */
export function windowCsv({ queryStart, keyStart, keyEnd, probabilities }: MapWindow): string {
  const columns = keyEnd - keyStart;
  const lines = ['query,key,probability,masked'];
  probabilities.forEach((p, i) => {
    const isMasked = Number.isNaN(p);
    lines.push(
      `${queryStart + Math.floor(i / columns)},${keyStart + (i % columns)},${isMasked ? '' : p},${isMasked ? 1 : 0}`,
    );
  });
  return `${lines.join('\r\n')}\r\n`;
}

/** Probability at an element, NaN where masked; undefined outside the window. */
export function probabilityAt(window: MapWindow, query: number, key: number): number | undefined {
  const { queryStart, queryEnd, keyStart, keyEnd } = window;
  if (query < queryStart || query >= queryEnd || key < keyStart || key >= keyEnd) return undefined;
  return window.probabilities[(query - queryStart) * (keyEnd - keyStart) + key - keyStart];
}
