import { halvesToNumbers, roundToHalves } from '../../attention/quantise/half';
import type { SlotStorage } from '../slots/types';

/** Rotates the vector at `keys[at..]` by a RoPE index into `to[into..]`. */
export type Rotate = (
  keys: Float32Array,
  at: number,
  index: number,
  to: Float32Array,
  into: number,
) => void;

/** The rows of one (layer, KV head), in text order. The arrays are views of what is held. */
export interface HeadRows {
  readonly count: number;
  /** Changes with anything but rows after the last one. */
  readonly version: number;
  /** Text positions, ascending, [count]. */
  readonly positions: Int32Array;
  /** RoPE index of every key, [count]. */
  readonly indices: Int32Array;
  /** The buffers that are held, of binary16 unless f32 was asked for: bytes of the cache. */
  readonly storedKeys: Uint16Array | Float32Array;
  readonly storedValues: Uint16Array | Float32Array;
  /** Bytes of one row's key and value as they are held. */
  readonly rowBytes: number;
  /** Before RoPE, [count, headSize]; read from what is held, so not counted as cache bytes. */
  readonly keys: Float32Array;
  /** The keys as queries meet them, [count, headSize]; made from `keys`, so not counted as cache bytes. */
  readonly rotated: Float32Array;
  /** [count, headSize] */
  readonly values: Float32Array;
  /** Writes a row; one at the same position is replaced. */
  put(position: number, index: number, key: Float32Array, value: Float32Array): void;
  /** Keeps the rows whose position and row number the test accepts. */
  keep(test: (position: number, row: number) => boolean): void;
  move(from: number, by: number, rotate: boolean): void;
  /** Row of a position, or -1. */
  rowOf(position: number): number;
  snapshot(): () => void;
}

/**
 * An empty list of rows. Keys and values are what the storage left of them, from the first row on:
 * attention never meets a number that is not held.
 */
export function createHeadRows(
  headSize: number,
  rotate: Rotate,
  storage: SlotStorage = 'f16',
): HeadRows {
  const Stored = storage === 'f16' ? Uint16Array : Float32Array;
  let storedKeys: Uint16Array | Float32Array = new Stored(0);
  let storedValues: Uint16Array | Float32Array = new Stored(0);
  let count = 0;
  let version = 0;
  let positions = new Int32Array(0);
  let indices = new Int32Array(0);
  let keys = new Float32Array(0);
  let rotated = new Float32Array(0);
  let values = new Float32Array(0);

  function reserve(needed: number): void {
    if (needed <= positions.length) return;
    const capacity = Math.max(needed, positions.length * 2, 64);
    const widened = <T extends Int32Array | Float32Array | Uint16Array>(
      larger: T,
      smaller: T,
    ): T => {
      larger.set(smaller);
      return larger;
    };
    storedKeys = widened(new Stored(capacity * headSize), storedKeys);
    storedValues = widened(new Stored(capacity * headSize), storedValues);
    positions = widened(new Int32Array(capacity), positions);
    indices = widened(new Int32Array(capacity), indices);
    keys = widened(new Float32Array(capacity * headSize), keys);
    rotated = widened(new Float32Array(capacity * headSize), rotated);
    values = widened(new Float32Array(capacity * headSize), values);
  }

  const toStored = (row: Float32Array) => (storage === 'f16' ? roundToHalves(row) : row);

  /** First row at or behind a position. */
  function lowerBound(position: number): number {
    if (count === 0 || positions[count - 1]! < position) return count;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (positions[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function open(row: number): void {
    reserve(count + 1);
    positions.copyWithin(row + 1, row, count);
    indices.copyWithin(row + 1, row, count);
    for (const array of [storedKeys, storedValues, keys, rotated, values]) {
      array.copyWithin((row + 1) * headSize, row * headSize, count * headSize);
    }
    count++;
  }

  return {
    get count() {
      return count;
    },
    get version() {
      return version;
    },
    get positions() {
      return positions.subarray(0, count);
    },
    get indices() {
      return indices.subarray(0, count);
    },
    get storedKeys() {
      return storedKeys.subarray(0, count * headSize);
    },
    get storedValues() {
      return storedValues.subarray(0, count * headSize);
    },
    rowBytes: 2 * headSize * Stored.BYTES_PER_ELEMENT,
    get keys() {
      return keys.subarray(0, count * headSize);
    },
    get rotated() {
      return rotated.subarray(0, count * headSize);
    },
    get values() {
      return values.subarray(0, count * headSize);
    },
    put(position, index, key, value) {
      const row = lowerBound(position);
      if (row < count) version++;
      if (row === count || positions[row] !== position) open(row);
      positions[row] = position;
      indices[row] = index;
      const at = row * headSize;
      storedKeys.set(toStored(key), at);
      storedValues.set(toStored(value), at);
      keys.set(toNumbers(storedKeys.subarray(at, at + headSize)), at);
      values.set(toNumbers(storedValues.subarray(at, at + headSize)), at);
      rotate(keys, at, index, rotated, at);
    },
    keep(test) {
      let kept = 0;
      for (let row = 0; row < count; row++) {
        if (!test(positions[row]!, row)) continue;
        if (kept !== row) {
          positions[kept] = positions[row]!;
          indices[kept] = indices[row]!;
          for (const array of [storedKeys, storedValues, keys, rotated, values]) {
            array.copyWithin(kept * headSize, row * headSize, (row + 1) * headSize);
          }
        }
        kept++;
      }
      if (kept < count) version++;
      count = kept;
    },
    move(from, by, rotateAnew) {
      const first = lowerBound(from);
      if (by < 0 && first > 0 && first < count && positions[first]! + by <= positions[first - 1]!) {
        throw new RangeError(
          `invalid move: ${by} from position ${from} (position ${positions[first]! + by} is held)`,
        );
      }
      version++;
      for (let row = first; row < count; row++) {
        positions[row] = positions[row]! + by;
        if (!rotateAnew) continue;
        indices[row] = indices[row]! + by;
        rotate(keys, row * headSize, indices[row]!, rotated, row * headSize);
      }
    },
    rowOf(position) {
      const row = lowerBound(position);
      return row < count && positions[row] === position ? row : -1;
    },
    snapshot() {
      const held = {
        count,
        positions: positions.slice(0, count),
        indices: indices.slice(0, count),
        storedKeys: storedKeys.slice(0, count * headSize),
        storedValues: storedValues.slice(0, count * headSize),
        keys: keys.slice(0, count * headSize),
        rotated: rotated.slice(0, count * headSize),
        values: values.slice(0, count * headSize),
      };
      return () => {
        version++;
        count = held.count;
        reserve(count);
        positions.set(held.positions);
        indices.set(held.indices);
        storedKeys.set(held.storedKeys);
        storedValues.set(held.storedValues);
        keys.set(held.keys);
        rotated.set(held.rotated);
        values.set(held.values);
      };
    },
  };
}

function toNumbers(stored: Uint16Array | Float32Array): Float32Array {
  return stored instanceof Uint16Array ? halvesToNumbers(stored) : stored;
}
