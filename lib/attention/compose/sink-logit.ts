import { mergePartials } from './merge-partials';
import type { MergedAttention, PartialAttention } from './types';

/**
 * Adds one virtual key of a given score and value 0 to every row: output exp(lse - lse'), with
 * lse' = log(exp(lse) + exp(logit)). A learned logit per head is an attention sink without a token;
 * -Infinity changes nothing. Apply it once, after merging: parts with a sink each would count it
 * several times.
 *
 * @throws RangeError where the logit is NaN or +Infinity
 */
export function withSinkLogit(part: PartialAttention, logit: number): MergedAttention {
  const { rows, valueSize } = part;
  const sink = {
    rows,
    valueSize,
    output: new Float64Array(rows * valueSize),
    lse: new Float64Array(rows).fill(logit),
  };
  return mergePartials([part, sink]);
}

/**
 * Off-by-one softmax, exp(s_i) / (1 + sum of exp(s_j)): a head may attend to nothing. It is a
 * virtual key of score 0.
 */
export function offByOne(part: PartialAttention): MergedAttention {
  return withSinkLogit(part, 0);
}

/**
 * One learned sink logit per head.
 *
 * @param parts merged attention of every head
 * @param logits [heads]
 */
export function withSinkLogits(
  parts: readonly PartialAttention[],
  logits: ArrayLike<number>,
): readonly MergedAttention[] {
  if (logits.length !== parts.length) {
    throw new RangeError(
      `invalid logits length: ${logits.length} (expected ${parts.length} heads)`,
    );
  }
  return parts.map((part, head) => withSinkLogit(part, logits[head]!));
}
