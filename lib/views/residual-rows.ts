import type { ResidualColumns } from '../serving/calibrate/fit-profile';

/** One measured row and what the fit says of it, in microseconds. */
export interface ResidualPoint {
  readonly part: string;
  readonly measured: number;
  readonly predicted: number;
  readonly isHeldOut: boolean;
}

/** Dots that one chart draws; beyond them an even choice stands for all. */
export const MOST_POINTS = 2000;

/**
 * The rows of one part, or of all.
 * @param most every k-th row where there are more
 */
export function residualPoints(
  residuals: ResidualColumns,
  part: string | undefined,
  most: number,
): readonly ResidualPoint[] {
  const { names, measured, predicted, heldOut } = residuals;
  const wanted = part === undefined ? -1 : names.indexOf(part);
  const rows: number[] = [];
  residuals.part.forEach((each, row) => {
    if (wanted < 0 || each === wanted) rows.push(row);
  });
  const step = Math.max(1, Math.ceil(rows.length / most));
  return rows
    .filter((_, i) => i % step === 0)
    .map((row) => ({
      part: names[residuals.part[row] as number] ?? '',
      measured: measured[row] as number,
      predicted: predicted[row] as number,
      isHeldOut: heldOut[row] === 1,
    }));
}

const quoted = (text: string): string =>
  /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** Every row as CSV. */
export function residualCsv(residuals: ResidualColumns): string {
  const lines = ['part,measured_us,predicted_us,held_out'];
  residuals.part.forEach((part, row) => {
    lines.push(
      `${quoted(residuals.names[part] ?? '')},${residuals.measured[row]},${residuals.predicted[row]},${residuals.heldOut[row]}`,
    );
  });
  return `${lines.join('\n')}\n`;
}
