import type { Encoded } from '../types';
import type { EncodedMatrix, MatrixCodec } from './matrix';

/** Keys and values of one (layer, KV head) before RoPE. */
export interface HeadRows {
  readonly slots: number;
  readonly headSize: number;
  /** [slots, headSize] */
  readonly keys: Float32Array;
  /** [slots, headSize] */
  readonly values: Float32Array;
}

/** Two encoded matrices as one head's keys and values. */
export function encodedPair(keys: EncodedMatrix, values: EncodedMatrix): Encoded {
  return {
    slots: keys.rows,
    headSize: keys.columns,
    buffers: [...keys.buffers, ...values.buffers],
    decodeKeys: () => keys.decode(),
    decodeValues: () => values.decode(),
  };
}

/** One head by a codec for its keys and one for its values. */
export function encodeHead(
  head: HeadRows,
  keyCodec: MatrixCodec,
  valueCodec: MatrixCodec,
): Encoded {
  const { slots: rows, headSize: columns } = head;
  return encodedPair(
    keyCodec({ rows, columns, data: head.keys }),
    valueCodec({ rows, columns, data: head.values }),
  );
}

/**
 * Columns of an encoded matrix that several heads share, as one encoded matrix per head. The buffers
 * are the first head's, so that their sum counts each once; the matrix is decoded once for all heads.
 */
export function perHead(matrix: EncodedMatrix, heads: number): EncodedMatrix[] {
  const { rows, columns } = matrix;
  const headSize = columns / heads;
  let decoded: WeakRef<Float32Array> | undefined;
  return Array.from({ length: heads }, (_, head) => ({
    rows,
    columns: headSize,
    buffers: head === 0 ? matrix.buffers : [],
    decode() {
      let whole = decoded?.deref();
      if (!whole) {
        whole = matrix.decode();
        decoded = new WeakRef(whole);
      }
      const own = new Float32Array(rows * headSize);
      for (let row = 0; row < rows; row++) {
        const from = row * columns + head * headSize;
        own.set(whole.subarray(from, from + headSize), row * headSize);
      }
      return own;
    },
  }));
}
