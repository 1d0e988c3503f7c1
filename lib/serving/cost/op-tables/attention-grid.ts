import type { CsvTable } from './csv';
import { segmentOf } from './curve';

/** Attention times over (prefill chunk, prefill context, decodes, decode context), microseconds. */
export interface AttentionGrid {
  /** Largest sampled value of each axis. */
  readonly reach: {
    readonly chunk: number;
    readonly prefillContext: number;
    readonly decodes: number;
    readonly decodeContext: number;
  };
  /** True where the second axis is the mean key length of the prefill tokens and not their context. */
  readonly isKeyLength: boolean;
  /**
   * Piecewise linear in each axis; along the outermost segment beyond the samples. The four axes
   * are nested, so a slice may have samples of its own.
   */
  microseconds(
    chunk: number,
    prefillContext: number,
    decodes: number,
    decodeContext: number,
  ): number;
}

/** The innermost level of the nested grid: ascending values, and the time at each. */
interface Line {
  readonly values: Float64Array;
  readonly times: Float64Array;
}

/** A level above it: what stands under each value. */
interface Axis<T> {
  readonly values: Float64Array;
  readonly under: readonly T[];
}

function groupsOf(rows: readonly number[], column: Float64Array): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const value = column[row] as number;
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [row]);
    else group.push(row);
  }
  return groups;
}

function nest<T>(
  rows: readonly number[],
  column: Float64Array,
  build: (rows: readonly number[]) => T,
): Axis<T> {
  const groups = groupsOf(rows, column);
  const values = Float64Array.from(groups.keys()).sort();
  return { values, under: Array.from(values, (value) => build(groups.get(value) ?? [])) };
}

// One function for each level and none that calls another given to it: a look-up is inlined.

/** The time at `at`, linear between values; one below the first clamps. */
function onLine({ values, times }: Line, at: number): number {
  if (values.length === 1 || at <= (values[0] as number)) return times[0] as number;
  const i = segmentOf(values, at);
  const from = values[i] as number;
  const share = (at - from) / ((values[i + 1] as number) - from);
  const low = times[i] as number;
  return share === 0 ? low : low + share * ((times[i + 1] as number) - low);
}

function overContexts({ values, under }: Axis<Line>, at: number, decodeContext: number): number {
  if (values.length === 1 || at <= (values[0] as number))
    return onLine(under[0] as Line, decodeContext);
  const i = segmentOf(values, at);
  const from = values[i] as number;
  const share = (at - from) / ((values[i + 1] as number) - from);
  const low = onLine(under[i] as Line, decodeContext);
  if (share === 0) return low;
  return low + share * (onLine(under[i + 1] as Line, decodeContext) - low);
}

function overDecodes(
  { values, under }: Axis<Axis<Line>>,
  at: number,
  prefillContext: number,
  decodeContext: number,
): number {
  if (values.length === 1 || at <= (values[0] as number))
    return overContexts(under[0] as Axis<Line>, prefillContext, decodeContext);
  const i = segmentOf(values, at);
  const from = values[i] as number;
  const share = (at - from) / ((values[i + 1] as number) - from);
  const low = overContexts(under[i] as Axis<Line>, prefillContext, decodeContext);
  if (share === 0) return low;
  const high = overContexts(under[i + 1] as Axis<Line>, prefillContext, decodeContext);
  return low + share * (high - low);
}

/**
 * The grid of `attention.csv`. Linear and not logarithmic interpolation: the kernel's time is
 * linear in each axis, and the samples' geometric spacing says nothing about the blend.
 *
 * @throws Error naming file and line of a point that is there twice, or an empty batch
 */
export function readAttentionGrid(table: CsvTable): AttentionGrid {
  const isKeyLength = table.has('prefill_key');
  const chunk = table.numbers(table.has('prefill_tokens') ? 'prefill_tokens' : 'prefill_chunk');
  const context = table.numbers(isKeyLength ? 'prefill_key' : 'kv_prefill');
  const decodes = table.numbers('n_decode');
  const decodeContext = table.numbers('kv_decode');
  const time = table.numbers('time_us');
  const queries = table.has('decode_q_len') ? table.numbers('decode_q_len') : undefined;
  const kernels = table.has('layer') ? table.labels('layer') : undefined;
  const rows: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    const kernel = kernels?.[row];
    if (kernel !== undefined && kernel !== 'attention') {
      throw new Error(
        `${table.file}: line ${table.line(row)}: kernel "${kernel}" is not supported (expected only "attention")`,
      );
    }
    if (chunk[row] === 0 && decodes[row] === 0) {
      throw new Error(`${table.file}: line ${table.line(row)}: a batch of no tokens`);
    }
    // Decodes of several query tokens belong to speculative decoding.
    if ((queries?.[row] ?? 1) <= 1) rows.push(row);
  }
  const leaf = (group: readonly number[]): number => {
    const [first, second] = group;
    if (second !== undefined) {
      throw new Error(
        `${table.file}: line ${table.line(second)}: the point of line ${table.line(first ?? 0)} is there again`,
      );
    }
    return time[first as number] as number;
  };
  const line = (group: readonly number[]): Line => {
    const groups = groupsOf(group, decodeContext);
    const values = Float64Array.from(groups.keys()).sort();
    return { values, times: values.map((value) => leaf(groups.get(value) ?? [])) };
  };
  const grid = nest(rows, chunk, (a) => nest(a, decodes, (b) => nest(b, context, line)));
  const largest = (column: Float64Array): number => column.reduce((a, b) => Math.max(a, b), 0);

  return {
    isKeyLength,
    reach: {
      chunk: largest(chunk),
      prefillContext: largest(context),
      decodes: largest(decodes),
      decodeContext: largest(decodeContext),
    },
    microseconds(at, prefillContext, decodeCount, decodeMean) {
      const { values, under } = grid;
      if (values.length === 1 || at <= (values[0] as number))
        return overDecodes(under[0] as Axis<Axis<Line>>, decodeCount, prefillContext, decodeMean);
      const i = segmentOf(values, at);
      const from = values[i] as number;
      const share = (at - from) / ((values[i + 1] as number) - from);
      const upper = under[i + 1] as Axis<Axis<Line>>;
      const low = overDecodes(
        under[i] as Axis<Axis<Line>>,
        decodeCount,
        prefillContext,
        decodeMean,
      );
      if (share === 0) return low;
      const high = overDecodes(upper, decodeCount, prefillContext, decodeMean);
      return low + share * (high - low);
    },
  };
}
