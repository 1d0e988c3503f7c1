import { checkParts } from './checks';
import type { HeadClass } from './head-classes';
import type { PartialAttention } from './types';

/**
 * DuoAttention's mix of one head while its gate is trained: gate full + (1 - gate) streaming. Both
 * attend over keys that overlap, so this is no merge and has no log-sum-exp.
 *
 * @param gate 0..1
 * @returns output [rows, valueSize]
 * @throws RangeError where the gate is outside 0..1 or shapes differ
 */
export function mixGated(
  full: PartialAttention,
  streaming: PartialAttention,
  gate: number,
): Float64Array {
  if (!(gate >= 0 && gate <= 1)) throw new RangeError(`invalid gate: ${gate} (expected 0..1)`);
  checkParts([full, streaming]);
  // A gate of 0 or 1 must not let a non-finite output of the unused branch through.
  if (gate === 1) return Float64Array.from(full.output);
  if (gate === 0) return Float64Array.from(streaming.output);
  return Float64Array.from(full.output, (a, i) => gate * a + (1 - gate) * streaming.output[i]!);
}

/**
 * `mixGated` of every head.
 *
 * @param full [heads] of parts
 * @param streaming [heads] of parts
 * @param gates [heads]
 * @returns [heads] of outputs [rows, valueSize]
 */
export function mixHeads(
  full: readonly PartialAttention[],
  streaming: readonly PartialAttention[],
  gates: ArrayLike<number>,
): readonly Float64Array[] {
  if (streaming.length !== full.length || gates.length !== full.length) {
    throw new RangeError(
      `invalid heads: ${streaming.length} streaming, ${gates.length} gates (expected ${full.length} each)`,
    );
  }
  return full.map((each, head) => mixGated(each, streaming[head]!, gates[head]!));
}

/** Gates of heads whose class is decided: 1 for retrieval, 0 for streaming. */
export function gatesOf(classes: readonly HeadClass[]): Float64Array {
  return Float64Array.from(classes, (each) => (each === 'retrieval' ? 1 : 0));
}
