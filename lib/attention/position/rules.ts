import { MULTIMODAL_AXES, type MultimodalLayout, multimodalPositions } from './multimodal';

/**
 * Which position a slot of the cache is encoded at.
 *
 * - absolute: its place in the text
 * - slot-index: its place among the slots that are kept, so that positions stay contiguous and
 *   within the cache's size after eviction (StreamingLLM)
 * - restart: its place in its own document (packed prompts)
 * - shared-start: every context, one document each, starts right after the shared prefix of
 *   `prefixKeys`; the last `suffixKeys` slots, the query, follow the longest context (APE)
 * - clamped-far: absolute, but no distance is larger than `windowTokens` (as LM-Infinite does)
 * - decoupled: input (group 0) counts its own slots from 0. Output (group 1) counts its own from 0
 *   (`group`), from `gapTokens` (`gap`), or from the number of inputs before its first slot
 *   (`overlap`), which inputs that arrive later use again (Speak While Watching; its text leaves
 *   the start of the overlap open)
 * - multimodal: time, height and width of text, frames and sound (TMRoPE)
 */
export type PositionRule =
  | { readonly type: 'absolute' }
  | { readonly type: 'slot-index' }
  | { readonly type: 'restart' }
  | { readonly type: 'shared-start'; readonly prefixKeys: number; readonly suffixKeys: number }
  | { readonly type: 'clamped-far'; readonly windowTokens: number }
  | { readonly type: 'decoupled'; readonly output: 'group' | 'overlap' }
  | { readonly type: 'decoupled'; readonly output: 'gap'; readonly gapTokens: number }
  | ({ readonly type: 'multimodal' } & MultimodalLayout);

/** Queries are the last `queries` of `keys` slots, counted before anything is evicted. */
export interface SlotContext {
  readonly queries: number;
  readonly keys: number;
  /** Document of every slot, [keys]; needed by restart and shared-start. */
  readonly documentOf?: ArrayLike<number>;
  /** 0 for input and 1 for output of every slot, [keys]; needed by decoupled. */
  readonly groupOf?: ArrayLike<number>;
  /** Slots whose keys are still cached, ascending; all by default. */
  readonly keptSlots?: ArrayLike<number>;
}

/** Positions of queries [queries, axes] and of kept keys, in the order of the slots. */
export interface Positions {
  /** Parts of a position, the first of them time; 1 but for multimodal. */
  readonly axes: number;
  readonly query: Float64Array;
  readonly key: Float64Array;
  /** Distances above it count as it; undefined for no limit. */
  readonly maxDistance: number | undefined;
}

/**
 * The positions that a rule gives to the queries and kept keys of a call.
 *
 * @throws RangeError where a size, a slot or a group is out of range, a table that the rule reads is
 * missing, or slot-index finds a query whose own slot is not kept
 */
export function positionsOf(rule: PositionRule, context: SlotContext): Positions {
  const { queries, keys } = context;
  checkRange('keys', keys, 1, Number.MAX_SAFE_INTEGER);
  checkRange('queries', queries, 1, keys);
  const kept = keptSlotsOf(context);
  const maxDistance = rule.type === 'clamped-far' ? rule.windowTokens : undefined;
  if (maxDistance !== undefined) {
    checkRange('windowTokens', maxDistance, 1, Number.MAX_SAFE_INTEGER);
  }
  if (rule.type === 'slot-index') {
    const first = kept.length - queries;
    if (kept[first] !== keys - queries) {
      throw new RangeError(
        `invalid keptSlots: some of ${keys - queries}..${keys - 1} missing (slot-index expects the queries' own slots)`,
      );
    }
    return {
      axes: 1,
      query: Float64Array.from({ length: queries }, (_, i) => first + i),
      key: Float64Array.from(kept, (_, i) => i),
      maxDistance,
    };
  }
  const axes = rule.type === 'multimodal' ? MULTIMODAL_AXES : 1;
  const text = textPositions(rule, context);
  return {
    axes,
    query: text.slice((keys - queries) * axes),
    key: Float64Array.from({ length: kept.length * axes }, (_, i) => {
      return text[kept[Math.floor(i / axes)]! * axes + (i % axes)]!;
    }),
    maxDistance,
  };
}

/** Distance that a score sees: query position - key position in time, at most the rule's largest. */
export function distanceOf(positions: Positions, query: number, key: number): number {
  const { axes } = positions;
  const distance = positions.query[query * axes]! - positions.key[key * axes]!;
  return positions.maxDistance === undefined ? distance : Math.min(distance, positions.maxDistance);
}

/** Position of every slot, kept or not, [keys, axes]. */
function textPositions(
  rule: Exclude<PositionRule, { readonly type: 'slot-index' }>,
  context: SlotContext,
): Float64Array {
  const { keys } = context;
  switch (rule.type) {
    case 'absolute':
    case 'clamped-far':
      return Float64Array.from({ length: keys }, (_, slot) => slot);
    case 'restart':
      return ranks(tableOf(context, 'documentOf', rule.type), 0, keys);
    case 'shared-start': {
      const { prefixKeys, suffixKeys } = rule;
      checkRange('prefixKeys', prefixKeys, 0, keys);
      checkRange('suffixKeys', suffixKeys, 0, keys - prefixKeys);
      const end = keys - suffixKeys;
      const inContext = ranks(tableOf(context, 'documentOf', rule.type), prefixKeys, end);
      const longest = inContext.reduce((most, rank) => Math.max(most, rank + 1), 0);
      return Float64Array.from({ length: keys }, (_, slot) => {
        if (slot < prefixKeys) return slot;
        return prefixKeys + (slot < end ? inContext[slot - prefixKeys]! : longest + slot - end);
      });
    }
    case 'multimodal':
      return multimodalPositions(rule, keys);
    case 'decoupled': {
      const groups = tableOf(context, 'groupOf', rule.type);
      for (let slot = 0; slot < keys; slot++) checkRange(`groupOf[${slot}]`, groups[slot]!, 0, 1);
      const start = outputStart(rule, groups);
      return ranks(groups, 0, keys).map((rank, slot) => rank + (groups[slot] === 1 ? start : 0));
    }
  }
}

function outputStart(
  rule: Extract<PositionRule, { readonly type: 'decoupled' }>,
  groups: ArrayLike<number>,
): number {
  if (rule.output === 'gap') {
    checkRange('gapTokens', rule.gapTokens, 0, Number.MAX_SAFE_INTEGER);
    return rule.gapTokens;
  }
  return rule.output === 'group' ? 0 : Math.max(0, Array.prototype.indexOf.call(groups, 1));
}

/** How many earlier slots of [start, end) carry the same label, for each of them. */
function ranks(labels: ArrayLike<number>, start: number, end: number): Float64Array {
  const counts = new Map<number, number>();
  return Float64Array.from({ length: end - start }, (_, i) => {
    const label = labels[start + i]!;
    const rank = counts.get(label) ?? 0;
    counts.set(label, rank + 1);
    return rank;
  });
}

function tableOf(
  context: SlotContext,
  name: 'documentOf' | 'groupOf',
  rule: string,
): ArrayLike<number> {
  const table = context[name];
  if (table === undefined) throw new RangeError(`missing ${name}: rule ${rule} reads it`);
  if (table.length !== context.keys) {
    throw new RangeError(`invalid ${name} length: ${table.length} (expected ${context.keys})`);
  }
  return table;
}

function keptSlotsOf({ keys, keptSlots }: SlotContext): ArrayLike<number> {
  if (keptSlots === undefined) return Array.from({ length: keys }, (_, slot) => slot);
  for (let i = 0; i < keptSlots.length; i++) {
    const above = i === 0 ? 0 : keptSlots[i - 1]! + 1;
    checkRange(`keptSlots[${i}]`, keptSlots[i]!, above, keys - 1);
  }
  return keptSlots;
}

function checkRange(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`invalid ${name}: ${value} (expected an integer in ${low}..${high})`);
  }
}
