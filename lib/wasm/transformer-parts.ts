import type { AttentionPart } from '../transformer/types';
import type { Arena } from './arena';
import type { TransformerKernel } from './transformer-kernel';

/** Slots of a panel of transposed keys. */
const PANEL_SLOTS = 8;

/** Sizes of heads in the memory: keys in whole fours, values in whole eights. */
export const keySizeOf = (headSize: number): number => 4 * Math.ceil(headSize / 4);
const valueSizeOf = (headSize: number): number => 8 * Math.ceil(headSize / 8);

/** Query rows of the heads that share one KV head, in the memory. */
export interface PlacedQueries {
  /** Rotated, [rows x group][key size], zeros past the head. */
  readonly queries: number;
  /** i32 [rows] */
  readonly rowPositions: number;
  readonly rows: number;
  readonly group: number;
  readonly headSize: number;
}

/** Results of one part, not yet merged with others; byte offsets. */
export interface PlacedPart {
  readonly output: number;
  /** f32 [rows x group][2]: maximum and sum of the softmax. */
  readonly statistics: number;
  /** f32 [rows x group][count], 0 where not wanted. */
  readonly weights: number;
}

function checkPart(part: AttentionPart, headSize: number): void {
  const { count, keys, values, positions, logMultiplicity } = part;
  const check = (name: string, length: number, expected: number) => {
    if (length < expected) {
      throw new RangeError(`invalid ${name} of a part: ${length} values (expected ${expected})`);
    }
  };
  check('keys', keys.length, count * headSize);
  check('values', values.length, count * headSize);
  check('positions', positions.length, count);
  if (logMultiplicity) check('logMultiplicity', logMultiplicity.length, count);
}

/** Rows of `size` values into rows of `stride`; where they differ the rest becomes 0. */
function copyRows(
  from: Float32Array,
  rows: number,
  size: number,
  to: Float32Array,
  start: number,
  stride: number,
): void {
  if (size === stride) {
    to.set(from.subarray(0, rows * size), start);
    return;
  }
  to.fill(0, start, start + rows * stride);
  for (let row = 0; row < rows; row++) {
    to.set(from.subarray(row * size, (row + 1) * size), start + row * stride);
  }
}

/**
 * Attention over one part. What it places is left for the caller to release.
 *
 * @param output where results go, a row of the model's rows every `rowBytes`, head after head
 */
export function attendPlaced(
  arena: Arena,
  kernel: TransformerKernel,
  placed: PlacedQueries,
  part: AttentionPart,
  output: number,
  rowBytes: number,
  wantsWeights: boolean,
): PlacedPart {
  const { queries, rowPositions, rows, group, headSize } = placed;
  const { count, temperature = 1 } = part;
  checkPart(part, headSize);
  const queryCount = rows * group;
  const keySize = keySizeOf(headSize);
  const slots = PANEL_SLOTS * Math.ceil(count / PANEL_SLOTS);
  const isRowWise = queryCount <= (kernel.MAX_ROW_WISE.value as number);

  const keys = arena.place(4 * slots * keySize);
  const values = arena.place(4 * count * valueSizeOf(headSize));
  const positions = arena.place(4 * slots);
  const added = part.logMultiplicity ? arena.place(4 * slots) : 0;
  const statistics = arena.place(8 * queryCount);
  const weights = wantsWeights ? arena.place(4 * queryCount * count) : 0;
  const scratch = arena.place(kernel.partScratchBytes(count, headSize));
  const staging = isRowWise ? keys : arena.place(4 * slots * keySize);

  const floats = arena.floats();
  copyRows(part.keys, count, headSize, floats, staging / 4, keySize);
  if (!isRowWise) {
    floats.fill(0, staging / 4 + count * keySize, staging / 4 + slots * keySize);
    kernel.packKeys(staging, keys, slots, keySize);
  }
  copyRows(part.values, count, headSize, floats, values / 4, valueSizeOf(headSize));
  arena.integers().set(part.positions.subarray(0, count), positions / 4);
  if (part.logMultiplicity) floats.set(part.logMultiplicity.subarray(0, count), added / 4);

  kernel.attendPart(
    queries,
    keys,
    values,
    positions,
    added,
    rowPositions,
    output,
    rowBytes,
    weights,
    statistics,
    scratch,
    count,
    queryCount,
    group,
    headSize,
    1 / Math.sqrt(headSize) / temperature,
  );
  return { output, statistics, weights };
}

/**
 * Merges the outputs of several parts by their log-sum-exps, as `attendRow` does, into `output`.
 *
 * @param results of every part, their outputs [rows x group][headSize]
 * @returns how much of the softmax is in each part, [part][rows x group]
 */
export function mergeParts(
  arena: Arena,
  placed: PlacedQueries,
  parts: readonly AttentionPart[],
  results: readonly PlacedPart[],
  output: number,
  rowBytes: number,
): readonly Float64Array[] {
  const { rows, group, headSize } = placed;
  const floats = arena.floats();
  const shares = parts.map(() => new Float64Array(rows * group));
  for (let query = 0; query < rows * group; query++) {
    let largest = -Infinity;
    const lses = results.map(({ statistics }, index) => {
      const maximum = floats[statistics / 4 + 2 * query]!;
      const sum = floats[statistics / 4 + 2 * query + 1]!;
      const lse = sum === 0 ? -Infinity : (maximum + Math.log(sum)) * (parts[index]!.lseScale ?? 1);
      largest = Math.max(largest, lse);
      return lse;
    });
    const row = Math.floor(query / group);
    const to = (output + row * rowBytes) / 4 + (query % group) * headSize;
    floats.fill(0, to, to + headSize);
    if (largest === -Infinity) continue;
    const total = lses.reduce((sum, lse) => sum + Math.exp(lse - largest), 0);
    lses.forEach((lse, index) => {
      const share = Math.exp(lse - largest) / total;
      shares[index]![query] = share;
      if (share === 0) return;
      const from = results[index]!.output / 4 + query * headSize;
      for (let d = 0; d < headSize; d++) {
        floats[to + d] = floats[to + d]! + share * floats[from + d]!;
      }
    });
  }
  return shares;
}
