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

/** A level of the nested grid: ascending values, and what stands under each. */
interface Axis<T> {
  readonly values: Float64Array;
  readonly under: readonly T[];
}

function nest<T>(
  rows: readonly number[],
  column: Float64Array,
  build: (rows: readonly number[]) => T,
): Axis<T> {
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const value = column[row] as number;
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [row]);
    else group.push(row);
  }
  const values = Float64Array.from(groups.keys()).sort();
  return { values, under: Array.from(values, (value) => build(groups.get(value) ?? [])) };
}

/** Linear blend along one axis of what `read` gives for the two neighbours; a value below the first clamps. */
function blend<T>(axis: Axis<T>, at: number, read: (under: T) => number): number {
  const { values, under } = axis;
  if (values.length === 1 || at <= (values[0] as number)) return read(under[0] as T);
  const i = segmentOf(values, at);
  const from = values[i] as number;
  const share = (at - from) / ((values[i + 1] as number) - from);
  const low = read(under[i] as T);
  return share === 0 ? low : low + share * (read(under[i + 1] as T) - low);
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
  const grid = nest(rows, chunk, (a) =>
    nest(a, decodes, (b) => nest(b, context, (c) => nest(c, decodeContext, leaf))),
  );
  const largest = (column: Float64Array): number => column.reduce((a, b) => Math.max(a, b), 0);

  // Arguments travel in these: closures made once, so that a look-up allocates nothing.
  let atContext = 0;
  let atDecodes = 0;
  let atDecodeContext = 0;
  const self = (value: number): number => value;
  const readContexts = (axis: Axis<number>): number => blend(axis, atDecodeContext, self);
  const readSlice = (axis: Axis<Axis<number>>): number => blend(axis, atContext, readContexts);
  const readChunk = (axis: Axis<Axis<Axis<number>>>): number => blend(axis, atDecodes, readSlice);
  return {
    isKeyLength,
    reach: {
      chunk: largest(chunk),
      prefillContext: largest(context),
      decodes: largest(decodes),
      decodeContext: largest(decodeContext),
    },
    microseconds(atChunk, prefillContext, decodeCount, decodeMean) {
      atContext = prefillContext;
      atDecodes = decodeCount;
      atDecodeContext = decodeMean;
      return blend(grid, atChunk, readChunk);
    },
  };
}
