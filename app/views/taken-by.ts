import type { MapOperand } from './map-operand';

/** What a head selects its keys by. */
export interface TakenBy {
  readonly name: string;
  /** Few enough words for a small picture. */
  readonly short: string;
}

/** The pattern, or the alternative, that a head selects its keys by; undefined where all do alike. */
export function takenBy(
  operand: MapOperand | undefined,
  batch: number,
  head: number,
): TakenBy | undefined {
  const { patterns = [], choices } = operand?.attention?.selection ?? {};
  const at = batch * (operand?.heads ?? 0) + head;
  const pattern = patterns[at];
  if (pattern === undefined) return undefined;
  const choice = choices?.[at];
  if (choice === undefined) {
    return patterns.some((each) => each !== pattern)
      ? { name: pattern, short: pattern }
      : undefined;
  }
  // Parts are several words.
  const short = pattern.includes(', ') ? 'composed' : pattern;
  const number = choice.taken + 1;
  return { name: `alternative ${number}, ${pattern}`, short: `${number}: ${short}` };
}
