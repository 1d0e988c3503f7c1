import type { AttentionParams } from '../spec/kinds/attention';
import { formulaOf } from './formula-of';
import { makeTable } from './tables';

/** Positions that share a label: run i covers [starts[i], starts[i + 1]), the last one up to the end. */
export interface LabelRuns {
  readonly starts: Uint32Array;
  readonly values: Int32Array;
}

/** What a variant says of positions: which document they are in, which class they are of. */
export interface TokenLabels {
  /** The table's name: `document`. */
  readonly name: string;
  /** Segments are numbered and do not come back; classes do. */
  readonly source: 'segments' | 'classes';
  readonly runs: LabelRuns;
}

/** Labels of the positions of a batch entry, from the variant's tables of segments and classes. */
export function tokenLabels(params: AttentionParams, batch: number): readonly TokenLabels[] {
  return formulaOf(params.variant).tables.flatMap((table) => {
    const { name, source } = table;
    if (source !== 'segments' && source !== 'classes') return [];
    const { values, length, batchStride } = makeTable(table, params);
    const start = batch * batchStride;
    return [{ name, source, runs: runsOf(values.subarray(start, start + length)) }];
  });
}

function runsOf(values: Float32Array): LabelRuns {
  const starts: number[] = [];
  values.forEach((value, i) => {
    if (i === 0 || value !== values[i - 1]) starts.push(i);
  });
  return {
    starts: Uint32Array.from(starts),
    values: Int32Array.from(starts, (i) => values[i] as number),
  };
}

/**
 * The token and the labels of a position in words: `"the", document 3, class 1`; empty where
 * nothing is known or before the first position.
 */
export function labelText(
  labels: readonly TokenLabels[],
  position: number,
  tokens?: readonly string[] | undefined,
): string {
  if (position < 0) return '';
  const token = tokens?.[position];
  return [
    ...(token === undefined ? [] : [JSON.stringify(token)]),
    ...labels.map(({ name, runs }) => `${name} ${runs.values[runAt(runs, position)]}`),
  ].join(', ');
}

/** Index of the run that holds a position. */
export function runAt({ starts }: LabelRuns, position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] as number) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
