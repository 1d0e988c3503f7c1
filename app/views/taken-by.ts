import type { MapOperand } from './map-operand';

/** The pattern, or the alternative, that a head selects its keys by; undefined where all do alike. */
export function takenBy(
  operand: MapOperand | undefined,
  batch: number,
  head: number,
): string | undefined {
  const selection = operand?.attention?.selection;
  const { patterns = [], choices } = selection ?? {};
  const at = batch * (operand?.heads ?? 0) + head;
  const pattern = patterns[at];
  const choice = choices?.[at];
  if (pattern !== undefined && choice !== undefined) return `${choice.taken + 1}: ${pattern}`;
  return patterns.some((each) => each !== pattern) ? pattern : undefined;
}
