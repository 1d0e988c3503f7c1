import { type ActionDefinition, headByHead, plainRun } from './actions';

/**
 * RazorAttention's compensation token (Tang et al., 2024): all victims become one slot, whose rotated
 * key and whose value are their means, and which counts as N tokens: log N is added to its score.
 * Slots that stand for several tokens already count as many in the mean. The mean is turned back to
 * the first victim's position, so that absolute positions give it again exactly.
 */
export const compensate: ActionDefinition<'compensate'> = headByHead<'compensate'>(
  (head, { keepCount }, { unrotate }) => {
    const { headSize, victims, multiplicity } = head;
    const kept = plainRun(head, head.kept);
    if (victims.length === 0) return [kept];
    const key = new Float32Array(headSize);
    const value = new Float32Array(headSize);
    const rotated = head.rotatedKeys();
    let tokens = 0;
    for (const slot of victims) tokens += multiplicity[slot]!;
    for (const slot of victims) {
      const share = multiplicity[slot]! / tokens;
      for (let d = 0; d < headSize; d++) {
        key[d] = key[d]! + share * rotated[slot * headSize + d]!;
        value[d] = value[d]! + share * head.values[slot * headSize + d]!;
      }
    }
    const position = head.positions[victims[0]!]!;
    unrotate(key, position);
    return [
      {
        form: 'plain',
        state: 'merged',
        headSize,
        keys: key,
        values: value,
        positions: Int32Array.of(position),
        multiplicity: Float32Array.of(keepCount ? tokens : 1),
      },
      kept,
    ];
  },
);
