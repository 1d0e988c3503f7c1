import type { CachePolicy } from '../../spec/cache-policy';

type Selector = CachePolicy['selector'];

export interface Selectable {
  /** [slots] */
  readonly scores: Float32Array;
  /** [slots] */
  readonly positions: Int32Array;
  /** Most slots that stay. */
  readonly budget: number;
  /** Tokens after the last of these slots that a recent window of so many tokens reaches into. */
  readonly tokensAfter?: number;
}

/**
 * How many sinks and recents of a budget are forced: sinks first, but one slot is left to the recents
 * that are asked for. Windows larger than the budget shrink to it.
 */
export function forcedCounts(
  { sinkTokens, recent }: Pick<Selector, 'sinkTokens' | 'recent'>,
  budget: number,
  tokensAfter = 0,
): { readonly sinks: number; readonly recents: number } {
  const wantsRecents =
    recent.type === 'rest' || (recent.type === 'tokens' ? recent.tokens > 0 : recent.share > 0);
  const sinks = Math.min(sinkTokens, Math.max(0, budget - (wantsRecents ? 1 : 0)));
  const left = budget - sinks;
  if (recent.type === 'rest') return { sinks, recents: left };
  const asked =
    recent.type === 'tokens' ? recent.tokens - tokensAfter : Math.round(recent.share * budget);
  return { sinks, recents: Math.max(0, Math.min(left, asked)) };
}

/**
 * The slots that stay, ascending: forced sinks and recents, then the best scores. Equal scores go to
 * the earlier position, whatever the order of the slots. Sinks are tokens at the text positions below
 * `sinkTokens`; if one is gone no other takes its place.
 *
 * @throws RangeError for a score that is NaN
 */
export function selectSlots(selector: Selector, selectable: Selectable): Int32Array {
  const { scores, positions, budget, tokensAfter } = selectable;
  const slots = scores.length;
  if (budget >= slots && selector.rule.type === 'top-k') return firstSlots(slots);
  const byPosition = inOrderOf(positions);
  const { sinks, recents } = forcedCounts(selector, Math.min(budget, slots), tokensAfter);
  const isKept = new Uint8Array(slots);
  let kept = 0;
  const keep = (slot: number) => {
    kept += 1 - isKept[slot]!;
    isKept[slot] = 1;
  };
  for (const slot of byPosition.subarray(0, sinks)) if (positions[slot]! < sinks) keep(slot);
  for (const slot of byPosition.subarray(slots - recents)) keep(slot);
  const ranked = byPosition.filter((slot) => !isKept[slot]);
  for (const slot of ranked) {
    if (Number.isNaN(scores[slot])) throw new RangeError(`invalid score: NaN at slot ${slot}`);
  }
  // A stable sort of what is in the order of positions.
  ranked.sort((a, b) => scores[b]! - scores[a]!);
  const { rule } = selector;
  let mass = 0;
  let total = 0;
  for (let slot = 0; slot < slots; slot++) {
    total += scores[slot]!;
    if (isKept[slot]) mass += scores[slot]!;
  }
  for (const slot of ranked) {
    if (kept >= budget) break;
    if (rule.type === 'threshold' && scores[slot]! < rule.least) break;
    // A share of 1 is everything: rounding of the sum must not drop the last of it.
    if (rule.type === 'top-p' && rule.share < 1 && mass >= rule.share * total) break;
    keep(slot);
    mass += scores[slot]!;
  }
  return firstSlots(slots).filter((slot) => isKept[slot]);
}

/** Slots by position, earlier slots first among equals. */
function inOrderOf(positions: Int32Array): Int32Array {
  const slots = firstSlots(positions.length);
  for (let i = 1; i < positions.length; i++) {
    if (positions[i]! < positions[i - 1]!) {
      return slots.sort((a, b) => positions[a]! - positions[b]! || a - b);
    }
  }
  return slots;
}

function firstSlots(slots: number): Int32Array {
  return Int32Array.from({ length: slots }, (_, slot) => slot);
}
