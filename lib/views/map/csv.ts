import type { MapWindow } from '../../attention/types';

/** A window's values as CSV, one element per row; a masked one has none. */
export function windowCsv(
  { queryStart, keyStart, keyEnd, probabilities }: MapWindow,
  name: 'probability' | 'weight' = 'probability',
): string {
  const columns = keyEnd - keyStart;
  const lines = [`query,key,${name},masked`];
  probabilities.forEach((p, i) => {
    const isMasked = Number.isNaN(p);
    lines.push(
      `${queryStart + Math.floor(i / columns)},${keyStart + (i % columns)},${isMasked ? '' : p},${isMasked ? 1 : 0}`,
    );
  });
  return `${lines.join('\r\n')}\r\n`;
}

/** Two windows of the same rectangle and their difference; masked counts as 0 in it. */
export function differenceCsv(
  first: MapWindow,
  second: MapWindow,
  name: 'probability' | 'weight' = 'probability',
): string {
  const { queryStart, keyStart, keyEnd } = first;
  const columns = keyEnd - keyStart;
  const lines = [`query,key,${name}_first,${name}_second,difference`];
  first.probabilities.forEach((a, i) => {
    const b = second.probabilities[i] as number;
    const [isFirst, isSecond] = [!Number.isNaN(a), !Number.isNaN(b)];
    const difference = isFirst || isSecond ? (isFirst ? a : 0) - (isSecond ? b : 0) : '';
    lines.push(
      `${queryStart + Math.floor(i / columns)},${keyStart + (i % columns)},${isFirst ? a : ''},${isSecond ? b : ''},${difference}`,
    );
  });
  return `${lines.join('\r\n')}\r\n`;
}
