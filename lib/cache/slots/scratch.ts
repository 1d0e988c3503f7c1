import { decode, type HeadState, unchangedSlots } from './head-state';
import { followsRanks, type IndexRule, keyIndices } from './index-rule';
import type { Rotation } from './rotation';

/** Rotated keys and decoded values of one head, made when attention reads them. */
export interface Scratch {
  /** @param query text position of the query, for rules that depend on it */
  read(
    head: HeadState,
    query?: number,
  ): { readonly keys: Float32Array; readonly values: Float32Array };
  /** Forgets what was read of slots from `slots` on: others may come in their place. */
  limit(slots: number): void;
}

export function createScratch(headSize: number, rule: IndexRule, rotation: Rotation): Scratch {
  let version = -1;
  let count = 0;
  let keys = new Float32Array(0);
  let values = new Float32Array(0);

  function reserve(slots: number): void {
    if (slots * headSize <= keys.length) return;
    const size = Math.max(slots, Math.ceil((1.5 * keys.length) / headSize)) * headSize;
    [keys, values] = [keys, values].map((old) => {
      const larger = new Float32Array(size);
      larger.set(old.subarray(0, count * headSize));
      return larger;
    }) as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
  }

  return {
    limit(slots) {
      count = Math.min(count, slots);
    },
    read(head, query) {
      const positions = head.positions.subarray(0, head.count);
      // Slots that were appended, or dropped, leave those before them as they were read.
      const start =
        rule.type === 'clamped-far' ? 0 : unchangedSlots(head, version, count, followsRanks(rule));
      reserve(head.count);
      if (start < head.count) {
        const indices = keyIndices(rule, positions, query).subarray(start);
        rotation.rotate(decode(head, 'keys', start, headSize), indices, keys, start);
        values.set(decode(head, 'values', start, headSize), start * headSize);
      }
      version = head.version;
      count = head.count;
      return {
        keys: keys.subarray(0, count * headSize),
        values: values.subarray(0, count * headSize),
      };
    },
  };
}
