import type { Rope } from '../../attention/position/rope-frequencies';
import { rotateInto } from '../../transformer/reference';
import type { HeadSlots } from '../slots/types';
import type { WindowQueries } from './actions';

/** Softmax weights of some queries over all slots of a head that they see. */
export interface WindowWeights {
  readonly rows: number;
  readonly group: number;
  readonly slots: number;
  /** [rows, group, slots]; 0 where a query does not see a slot. */
  readonly weights: Float32Array;
  /** Queries that see each slot, [slots]. */
  readonly visible: Int32Array;
}

/**
 * Attention of a window of queries over the slots of their KV head, causal, in the precision of the
 * model. Slots that stand for several tokens count as many.
 *
 * @param indexOf RoPE index of a query at a text position
 */
export function windowAttention(
  queries: WindowQueries,
  head: HeadSlots,
  rope: Rope,
  indexOf: (position: number) => number,
): WindowWeights {
  const { rows, group } = queries;
  const { headSize } = rope;
  const slots = head.count;
  const keys = head.rotatedKeys();
  const { positions } = head;
  const logs = head.multiplicity.map(Math.log);
  const weights = new Float32Array(rows * group * slots);
  const visible = new Int32Array(slots);
  const rotated = new Float32Array(headSize);
  const scale = 1 / Math.sqrt(headSize);
  for (let row = 0; row < rows; row++) {
    const position = queries.positions[row]!;
    const index = indexOf(position);
    for (let slot = 0; slot < slots; slot++) if (positions[slot]! <= position) visible[slot]!++;
    for (let member = 0; member < group; member++) {
      rotateInto(queries.data, (row * group + member) * headSize, index, rope, rotated, 0);
      const out = weights.subarray(
        (row * group + member) * slots,
        (row * group + member + 1) * slots,
      );
      let largest = -Infinity;
      for (let slot = 0; slot < slots; slot++) {
        if (positions[slot]! > position) {
          out[slot] = -Infinity;
          continue;
        }
        let dot = 0;
        for (let d = 0; d < headSize; d++) dot += rotated[d]! * keys[slot * headSize + d]!;
        out[slot] = dot * scale + logs[slot]!;
        if (out[slot]! > largest) largest = out[slot]!;
      }
      softmaxInPlace(out, largest);
    }
  }
  return { rows, group, slots, weights, visible };
}

/** @param largest of the scores; -Infinity where none is seen, which leaves zeros */
function softmaxInPlace(scores: Float32Array, largest: number): void {
  if (largest === -Infinity) {
    scores.fill(0);
    return;
  }
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    const weight = Math.exp(scores[i]! - largest);
    scores[i] = weight;
    total += weight;
  }
  for (let i = 0; i < scores.length; i++) scores[i] = scores[i]! / total;
}
