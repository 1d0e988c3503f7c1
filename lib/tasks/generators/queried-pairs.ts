import type { Random } from '../../random/random';
import { fillerTokens } from '../filler';
import { drawDistinct } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { ALL_FILLER_TOKENS, BAR, BOS, NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';

export interface QueriedPairsOptions extends TaskSize {
  readonly pairs: number;
  /** Keys asked for, one after another. */
  readonly queries: number;
  /** `none`: a key follows a key; `power-law`: noise between them, most keys early. */
  readonly gaps: 'none' | 'power-law';
}

/** Exponent of the law of gaps: p(g) in proportion to a g^(a-1). */
const POWER = 0.01;
/** Query slots for each key asked for. */
const SLOTS_PER_QUERY = 4;

/** Different slots from 1 on, ascending, drawn without replacement in proportion to slot^(power-1). */
export function powerLawSlots(count: number, slots: number, random: Random): number[] {
  // Exponential clocks of these rates ring in the order of a draw without replacement.
  const clocks = Array.from({ length: slots }, (_, i) => ({
    slot: i + 1,
    rings: random.exponential() / (i + 1) ** (POWER - 1),
  }));
  return clocks
    .sort((a, b) => a.rings - b.rings)
    .slice(0, count)
    .map(({ slot }) => slot)
    .sort((a, b) => a - b);
}

/**
 * Multi-query associative recall (MQAR; Arora et al., 2023): pairs of name and number at the end of
 * the context, then keys in another order. Questions hold the true answers before them, as the
 * benchmark scores all places of one text. `offset` is the query's slot of two tokens after the bar.
 */
export function generateQueriedPairs(options: QueriedPairsOptions, random: Random): TaskSample {
  const { contextTokens, pairs, gaps } = options;
  const queries = Math.min(options.queries, pairs);
  const filler = contextTokens - 1 - 2 * pairs;
  if (filler < 0) {
    throw new RangeError(
      `invalid contextTokens: ${contextTokens} (${pairs} pairs need ${1 + 2 * pairs})`,
    );
  }
  const names = drawDistinct(NAME_TOKENS, pairs, random);
  const values = names.map(
    () => NUMBER_TOKENS[random.integer(0, NUMBER_TOKENS.length - 1)] as number,
  );
  const context = [
    BOS,
    ...fillerTokens(filler, random),
    ...names.flatMap((name, i) => [name, values[i] as number]),
  ];
  const asked = drawDistinct(
    names.map((_, i) => i),
    queries,
    random,
  );
  const slots =
    gaps === 'none'
      ? asked.map((_, i) => i + 1)
      : powerLawSlots(queries, SLOTS_PER_QUERY * queries, random);
  const noise = () => ALL_FILLER_TOKENS[random.integer(0, ALL_FILLER_TOKENS.length - 1)] as number;
  return {
    context,
    turns: asked.map((pair, i) => {
      const slot = slots[i] as number;
      const before = i === 0 ? [BAR] : [values[asked[i - 1] as number] as number];
      const skipped = slot - (slots[i - 1] ?? 0) - 1;
      const start = 1 + filler + 2 * pair;
      return {
        kind: 'pair',
        question: [...before, ...Array.from({ length: 2 * skipped }, noise), names[pair] as number],
        answer: [values[pair] as number],
        evidence: [[start, start + 2] as const],
        depth: start / context.length,
        offset: slot,
      };
    }),
  };
}
