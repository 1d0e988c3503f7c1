import { type PositionRule, positionsOf } from '../../attention/position/rules';
import type { RowIndices } from '../../transformer/types';

/**
 * Which RoPE index a slot is encoded at, and a query at a text position: `PositionRule` for a cache
 * that grows.
 *
 * - absolute: its text position
 * - slot-index: its rank among the slots of its head, so that indices stay contiguous and within the
 *   cache's size after eviction (Xiao et al., 2023)
 * - clamped-far: as absolute, but no distance is larger than `windowTokens` (as LM-Infinite does)
 * - table: given by text position; positions after the table go on from its last entry. What
 *   restart-per-chunk and shared-start rules come to.
 */
export type IndexRule =
  | { readonly type: 'absolute' }
  | { readonly type: 'slot-index' }
  | { readonly type: 'clamped-far'; readonly windowTokens: number }
  | { readonly type: 'table'; readonly indexOf: Int32Array };

/**
 * Indices of a prompt made of documents, by text position, under a rule of `lib/attention`.
 *
 * @param documentOf document of every token
 */
export function tableOf(
  rule: Extract<PositionRule, { type: 'restart' | 'shared-start' }>,
  documentOf: ArrayLike<number>,
): IndexRule {
  const { key } = positionsOf(rule, { queries: 1, keys: documentOf.length, documentOf });
  return { type: 'table', indexOf: Int32Array.from(key) };
}

/** First token of every chunk as the chunk of every token, for `tableOf`. */
export function documentsOf(chunkStarts: readonly number[], tokens: number): Int32Array {
  let chunk = 0;
  return Int32Array.from({ length: tokens }, (_, token) => {
    while ((chunkStarts[chunk] ?? Infinity) <= token) chunk++;
    return chunk;
  });
}

/**
 * RoPE index of every slot.
 *
 * @param positions of the head's slots
 * @param query text position of the query, for rules that depend on it
 */
export function keyIndices(rule: IndexRule, positions: Int32Array, query?: number): Int32Array {
  switch (rule.type) {
    case 'absolute':
      return positions;
    case 'slot-index': {
      let isSorted = true;
      for (let i = 1; i < positions.length && isSorted; i++) {
        isSorted = positions[i - 1]! <= positions[i]!;
      }
      const ranks = Int32Array.from(positions, (_, slot) => slot);
      if (isSorted) return ranks;
      const order = ranks.slice().sort((a, b) => positions[a]! - positions[b]! || a - b);
      order.forEach((slot, rank) => {
        ranks[slot] = rank;
      });
      return ranks;
    }
    case 'clamped-far': {
      const nearest = (query ?? 0) - rule.windowTokens;
      return positions.map((position) => Math.max(position, nearest));
    }
    case 'table':
      return positions.map((position) => inTable(rule.indexOf, position));
  }
}

/** Whether the index of a slot depends on the slots beside it. */
export const followsRanks = ({ type }: IndexRule): boolean => type === 'slot-index';

/** RoPE index of a query whose own slot is among `positions` or comes after them. */
export function queryIndexOf(rule: IndexRule, positions: Int32Array, position: number): number {
  if (rule.type === 'table') return inTable(rule.indexOf, position);
  if (rule.type !== 'slot-index') return position;
  let before = 0;
  for (let i = 0; i < positions.length; i++) if (positions[i]! < position) before++;
  return before;
}

/**
 * Indices of rows that are appended together, as slots and as queries once they are in; undefined
 * where the rule gives none before the query is known, or the rows do not come after the slots.
 *
 * @param slots text positions of the head's slots
 * @param positions of the rows, ascending
 */
export function appendedIndices(
  rule: IndexRule,
  slots: Int32Array,
  positions: Int32Array,
): RowIndices | undefined {
  if (rule.type === 'clamped-far') return undefined;
  if (rule.type === 'slot-index') {
    const first = positions[0] ?? Infinity;
    if (slots.some((position) => position >= first)) return undefined;
    const ranks = positions.map((_, row) => slots.length + row);
    return { keys: ranks, queries: ranks };
  }
  const indices =
    rule.type === 'absolute'
      ? positions
      : positions.map((position) => inTable(rule.indexOf, position));
  return { keys: indices, queries: indices };
}

function inTable(indexOf: Int32Array, position: number): number {
  const { length } = indexOf;
  if (position < length) return indexOf[position]!;
  return (length === 0 ? -1 : indexOf[length - 1]!) + 1 + position - length;
}
