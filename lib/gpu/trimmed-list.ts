import { coverOf } from '../attention/block-list';
import type { AttentionInputs } from '../attention/types';
import type { FormulaNode } from '../formula/tree';
import type { PackedBlockList } from './packed-list';

/** Groups of 4 keys that an entry has a bit for, and its bits, as `rows-main.wgsl` reads them. */
export const MOST_GROUPS = 8;
const GROUP_KEYS = 4;
const IS_PLAIN = 1 << 15;
const VISITED = 16;
const MASKED = 24;
/** Partial blocks of all lists beyond which each is visited whole: looking costs more than it saves. */
const MOST_PARTIAL = 2 ** 16;

/** Largest number of key blocks whose index fits an entry. */
export const MOST_BLOCKS = IS_PLAIN;

const hasTable = (node: FormulaNode): boolean =>
  node.kind === 'table' || (node.kind === 'call' && node.args.some(hasTable));

/** The parts of a mask that must all hold, split by whether they read a table. */
export function splitMask(mask: FormulaNode | undefined): {
  readonly plain: FormulaNode | undefined;
  readonly tabled: FormulaNode | undefined;
} {
  const parts: FormulaNode[] = [];
  const gather = (node: FormulaNode): void => {
    if (node.kind === 'call' && node.operation === 'and') node.args.forEach(gather);
    else parts.push(node);
  };
  if (mask !== undefined) gather(mask);
  const joined = (nodes: readonly FormulaNode[]) =>
    nodes.length === 0
      ? undefined
      : nodes.reduce((a, b) => ({ kind: 'call', operation: 'and', args: [a, b], type: 'bool' }));
  return {
    plain: joined(parts.filter((node) => !hasTable(node))),
    tabled: joined(parts.filter(hasTable)),
  };
}

/**
 * Entries that say of each group of 4 keys whether any row of the query block may see it, and whether
 * rows must be tested, by interval reasoning: index | plain << 15 | visited << 16 | masked << 24. Plain
 * where all rows see all keys as far as tables go, so that the rest of the mask decides.
 *
 * @param blockKeys at most 4 x MOST_GROUPS
 */
export function trimEntries(
  { shape, program }: AttentionInputs,
  { rows, entries, partial, stride, headStride, queryBlocks }: PackedBlockList,
  blockQueries: number,
  blockKeys: number,
): Uint32Array<ArrayBuffer> {
  const groups = blockKeys / GROUP_KEYS;
  const keyBlocks = Math.ceil(shape.keys / blockKeys);
  if (!Number.isInteger(groups) || groups < 1 || groups > MOST_GROUPS) {
    throw new Error(`invalid blockKeys: ${blockKeys} (expected 4..${GROUP_KEYS * MOST_GROUPS})`);
  }
  if (keyBlocks > MOST_BLOCKS) {
    throw new Error(`invalid keys: ${shape.keys} (expected at most ${MOST_BLOCKS * blockKeys})`);
  }
  const all = (1 << groups) - 1;
  const trimmed = entries.map((block) => (block | (all << VISITED)) >>> 0);
  if (partial === 0) return trimmed;
  const isWhole = partial > MOST_PARTIAL;
  const { plain, tabled } = splitMask(program.mask);
  const batches = stride > 0 ? shape.batch : 1;
  const heads = headStride > 0 ? shape.queryHeads : 1;
  for (let b = 0; b < batches; b++) {
    for (let h = 0; h < heads; h++) {
      const last = heads > 1 ? h : shape.queryHeads - 1;
      const cover = coverOf(program, shape, b, h, last);
      const ofTables =
        plain === undefined || tabled === undefined || isWhole
          ? () => 'some'
          : coverOf({ ...program, mask: tabled }, shape, b, h, last);
      for (let i = 0; i < queryBlocks; i++) {
        const row = 2 * (b * stride + h * headStride + i);
        const from = i * blockQueries;
        const to = Math.min(shape.queries, from + blockQueries);
        const end = rows[row + 2] as number;
        for (let e = (rows[row] as number) + (rows[row + 1] as number); e < end; e++) {
          const block = entries[e] as number;
          const first = block * blockKeys;
          let visited = 0;
          let masked = 0;
          const look = (group: number, count: number): void => {
            const keyFrom = first + group * GROUP_KEYS;
            const keyTo = keyFrom + count * GROUP_KEYS;
            if (keyFrom >= shape.keys) return;
            const kind = isWhole ? 'some' : cover(from, to, keyFrom, Math.min(shape.keys, keyTo));
            if (kind === 'none') return;
            const isDecided = isWhole || (kind === 'all' && keyTo <= shape.keys);
            if (isDecided || count === 1) {
              const bits = ((1 << count) - 1) << group;
              visited |= bits;
              if (isWhole || kind === 'some' || keyTo > shape.keys) masked |= bits;
              return;
            }
            const half = count >> 1;
            look(group, half);
            look(group + half, count - half);
          };
          look(0, groups);
          const keyEnd = Math.min(shape.keys, first + blockKeys);
          const isPlain = masked !== 0 && ofTables(from, to, first, keyEnd) === 'all';
          trimmed[e] =
            (block | (isPlain ? IS_PLAIN : 0) | (visited << VISITED) | (masked << MASKED)) >>> 0;
        }
      }
    }
  }
  return trimmed;
}
