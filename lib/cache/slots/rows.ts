import { halvesToNumbers, roundToHalves } from '../../attention/quantise/half';
import type { SlotStorage } from './types';

/** Rows that decoding adds at a time: one row each would copy all of them on every token. */
const PAGE_ROWS = 16;

/** Keys or values of slots, row-major, in the bytes they are stored in. */
export interface Rows {
  readonly count: number;
  readonly data: Float32Array | Uint16Array;
}

export function noRows(storage: SlotStorage): Rows {
  return { count: 0, data: storage === 'f16' ? new Uint16Array(0) : new Float32Array(0) };
}

/**
 * Rows with others after them; the data of `rows` is written to where it has room left.
 *
 * @param added [rows, width]
 * @throws RangeError for values that f16 cannot hold
 */
export function appendRows(rows: Rows, added: Float32Array, width: number): Rows {
  const stored = rows.data instanceof Uint16Array ? roundToHalves(added) : added;
  const count = rows.count + added.length / width;
  let data = rows.data;
  if (count * width > data.length) {
    // A whole prompt gets what it needs; single tokens get a page.
    const room = count - rows.count > 1 ? count : rows.count + PAGE_ROWS;
    data = new (data instanceof Uint16Array ? Uint16Array : Float32Array)(room * width);
    data.set(rows.data.subarray(0, rows.count * width));
  }
  data.set(stored, rows.count * width);
  return { count, data };
}

/** The given rows, in buffers of exactly their size. */
export function takeRows(rows: Rows, picked: ArrayLike<number>, width: number): Rows {
  const make = rows.data instanceof Uint16Array ? Uint16Array : Float32Array;
  const data = new make(picked.length * width);
  for (let i = 0; i < picked.length; i++) {
    const from = picked[i]! * width;
    data.set(rows.data.subarray(from, from + width), i * width);
  }
  return { count: picked.length, data };
}

/** Rows from `start` on as numbers, [count - start, width]; a view where they are stored in f32. */
export function readRows(rows: Rows, start: number, width: number): Float32Array {
  const part = rows.data.subarray(start * width, rows.count * width);
  return part instanceof Uint16Array ? halvesToNumbers(part) : part;
}
