import type { TableReader } from '../formula/evaluate';
import { memberOf, type TableBounds } from '../formula/interval';
import { createRandom, type Random } from '../random/random';
import type { AttentionParams, FormulaTable } from '../spec/kinds/attention';

/** Values of one table: [batch or 1, heads or 1, length]. */
export interface ProgramTable {
  readonly name: string;
  readonly values: Float32Array<ArrayBuffer>;
  readonly length: number;
  /** Values between batch entries; 0 where they share one table. */
  readonly batchStride: number;
  readonly headStride: number;
}

/** The seeded table of a formula; see `formulaTable` for what each source is. */
export function makeTable(
  table: FormulaTable,
  { shape, seed }: Pick<AttentionParams, 'shape' | 'seed'>,
): ProgramTable {
  const { name } = table;
  const perBatch = (fill: (values: Float32Array, random: Random) => void, label: string) => {
    const values = new Float32Array(shape.batch * shape.keys);
    for (let b = 0; b < shape.batch; b++) {
      const random = createRandom(seed).fork(`${label} ${b}`);
      fill(values.subarray(b * shape.keys, (b + 1) * shape.keys), random);
    }
    return { name, values, length: shape.keys, batchStride: shape.keys, headStride: 0 };
  };
  const perHead = (values: Float32Array<ArrayBuffer>, length: number, isPerHead: boolean) => ({
    name,
    values,
    length,
    batchStride: 0,
    headStride: isPerHead ? length : 0,
  });
  switch (table.source) {
    case 'segments':
      return perBatch((values, random) => {
        let segment = 0;
        for (let k = 0; k < values.length; k++) {
          values[k] = segment;
          if (random.uniform() < 1 / table.meanTokens) segment++;
        }
      }, 'documents');
    case 'classes':
      return perBatch((values, random) => {
        let current = random.integer(0, table.classes - 1);
        for (let k = 0; k < values.length; k++) {
          values[k] = current;
          if (random.uniform() >= 1 / table.meanTokens) continue;
          current = (current + random.integer(1, table.classes - 1)) % table.classes;
        }
      }, `classes ${name}`);
    case 'subtree-end':
      return perBatch(
        (values, random) => fillSubtreeEnds(values, table.meanChildren, random),
        `tree ${name}`,
      );
    case 'normal': {
      const heads = table.perHead ? shape.queryHeads : 1;
      const random = createRandom(seed).fork(`normal ${name}`);
      const values = Float32Array.from(
        { length: heads * table.entries },
        () => table.deviation * random.normal(),
      );
      return perHead(values, table.entries, table.perHead);
    }
    case 'values': {
      const heads = table.perHead ? shape.queryHeads : 1;
      const length = Math.max(1, Math.floor(table.values.length / heads));
      const values = Float32Array.from({ length: heads * length }, (_, i) => table.values[i] ?? 0);
      return perHead(values, length, table.perHead);
    }
  }
}

/**
 * One past the last position of every position's subtree, in a random tree whose nodes are numbered
 * in depth-first order: k is q or an ancestor of q where k <= q and q < end(k), as in tree attention
 * for speculative decoding.
 */
function fillSubtreeEnds(values: Float32Array, meanChildren: number, random: Random): void {
  const open: number[] = [];
  for (let position = 0; position < values.length; position++) {
    // Closing a node ends its subtree; more children on average make wider, shallower trees.
    while (open.length > 1 && random.uniform() < 1 - 1 / meanChildren) {
      values[open.pop() as number] = position;
    }
    open.push(position);
  }
  for (const position of open) values[position] = values.length;
}

/** Reads a table; an index beyond the ends reads the end, as the kernels do. */
export function tableReader(table: ProgramTable): TableReader {
  const { values, length, batchStride, headStride } = table;
  return (index, batch, head) =>
    values[
      batch * batchStride + head * headStride + Math.max(0, Math.min(length - 1, index))
    ] as number;
}

/** Smallest and largest value over a range of indices and heads, by a sparse table per row: O(1) a question. */
export function tableBounds(table: ProgramTable): TableBounds {
  const { values, length, batchStride, headStride } = table;
  const rows = new Map<number, RowExtremes>();
  const extremesAt = (offset: number): RowExtremes => {
    const known = rows.get(offset);
    if (known !== undefined) return known;
    const made = rowExtremes(values.subarray(offset, offset + length));
    rows.set(offset, made);
    return made;
  };
  return (low, high, box, out) => {
    const from = Math.max(0, Math.min(length - 1, Math.ceil(low)));
    const to = Math.max(from, Math.min(length - 1, Math.floor(high)));
    const level = 31 - Math.clz32(to - from + 1);
    out.low = Infinity;
    out.high = -Infinity;
    out.members = 0;
    let isSmall = true;
    const lastHead = headStride === 0 ? box.headLow : box.headHigh;
    for (let head = box.headLow; head <= lastHead; head++) {
      const { lowest, highest, members } = extremesAt(box.batch * batchStride + head * headStride);
      const start = level * length + from;
      const end = level * length + to - (1 << level) + 1;
      out.low = Math.min(out.low, lowest[start] as number, lowest[end] as number);
      out.high = Math.max(out.high, highest[start] as number, highest[end] as number);
      isSmall &&= members !== undefined;
      if (members !== undefined)
        out.members |= (members[start] as number) | (members[end] as number);
    }
    if (!isSmall) out.members = 0;
  };
}

interface RowExtremes {
  /** [level, index]: over 2^level values from the index. */
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
  /** As `IntervalNode.members`; undefined where some value is not one of 0..31. */
  readonly members: Uint32Array | undefined;
}

function rowExtremes(row: Float32Array): RowExtremes {
  const { length } = row;
  const levels = 32 - Math.clz32(length);
  const lowest = new Float32Array(levels * length);
  const highest = new Float32Array(levels * length);
  lowest.set(row);
  highest.set(row);
  const members = row.every((value) => memberOf(value) !== 0)
    ? new Uint32Array(levels * length)
    : undefined;
  row.forEach((value, i) => {
    if (members !== undefined) members[i] = memberOf(value);
  });
  for (let level = 1; level < levels; level++) {
    const half = 1 << (level - 1);
    const before = (level - 1) * length;
    for (let i = 0; i + 2 * half <= length; i++) {
      const at = level * length + i;
      lowest[at] = Math.min(lowest[before + i] as number, lowest[before + i + half] as number);
      highest[at] = Math.max(highest[before + i] as number, highest[before + i + half] as number);
      if (members !== undefined) {
        members[at] = (members[before + i] as number) | (members[before + i + half] as number);
      }
    }
  }
  return { lowest, highest, members };
}
