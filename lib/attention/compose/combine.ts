import type { ComposeParams } from '../../spec/kinds/compose';
import { differentialOutput } from './differential';
import { massShares, mergePartials } from './merge-partials';
import { mixGated } from './mix-heads';
import { withSinkLogit } from './sink-logit';
import type { PartialAttention } from './types';

type Rules = Pick<ComposeParams, 'parts' | 'rule' | 'sink'>;

/** Score of the virtual key beside the keys of every softmax; undefined for none. */
export function sinkLogitOf({ sink }: Pick<ComposeParams, 'sink'>): number | undefined {
  if (sink.type === 'none') return undefined;
  return sink.type === 'logit' ? sink.logit : 0;
}

/** Pieces of a part merged, its log-sum-exp scaled for what follows; a single piece is not copied. */
export function partOf(pieces: readonly PartialAttention[], lseScale: number): PartialAttention {
  const [only] = pieces;
  const merged = only !== undefined && pieces.length === 1 ? only : mergePartials(pieces);
  if (lseScale === 1) return merged;
  return { ...merged, lse: Float64Array.from(merged.lse, (lse) => lseScale * lse) };
}

/**
 * The composition of one head's parts, whatever the number of rows. Every softmax has the sink: the
 * one that a merge leaves, or those of both parts of a gate or a difference.
 *
 * @param parts as `partOf` gives them, in the params' order
 * @param gate of the head's KV head; for rule gate
 * @returns output [rows, valueSize]
 */
export function combineParts(
  params: Rules,
  parts: readonly PartialAttention[],
  gate: number | undefined,
): Float64Array {
  const logit = sinkLogitOf(params);
  const sunk = (part: PartialAttention) =>
    logit === undefined ? part : withSinkLogit(part, logit);
  const { rule } = params;
  const [first, second] = parts;
  if (rule.type === 'gate' || rule.type === 'difference') {
    if (first === undefined || second === undefined) {
      throw new RangeError(`invalid parts: ${parts.length} (rule ${rule.type} expects 2)`);
    }
    return rule.type === 'gate'
      ? mixGated(sunk(first), sunk(second), gate ?? 1)
      : differentialOutput(sunk(first), sunk(second), rule.lambda);
  }
  return sunk(mergePartials(parts)).output as Float64Array;
}

/**
 * Softmax mass on every piece and, last, on the sink, as [pieces + sink][rows]; for merges.
 *
 * @param parts pieces of every part, in the params' order
 */
export function pieceMass(
  params: Rules,
  parts: readonly (readonly PartialAttention[])[],
): readonly Float64Array[] {
  const whole = parts.map((pieces, i) => partOf(pieces, params.parts[i]!.lseScale));
  const logit = sinkLogitOf(params);
  const { rows, valueSize } = whole[0]!;
  const sink = {
    rows,
    valueSize,
    output: new Float64Array(rows * valueSize),
    lse: new Float64Array(rows).fill(logit ?? -Infinity),
  };
  const ofParts = massShares([...whole, sink]);
  const ofPieces = parts.flatMap((pieces, i) =>
    massShares(pieces).map((share) => share.map((each, row) => each * ofParts[i]![row]!)),
  );
  return logit === undefined ? ofPieces : [...ofPieces, ofParts.at(-1)!];
}
