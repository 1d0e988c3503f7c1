import { DTYPE_BITS, type Dtype, elementsOf } from './dtype';

/** A tensor to be written; `data` holds its little-endian bytes, row-major. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView<ArrayBuffer>;
}

/** The data begins at a multiple of this, as the reference writer has it. */
const ALIGNMENT_BYTES = 8;

/**
 * A safetensors file, tensors in the order given; the data is not copied.
 *
 * @param metadata texts for `__metadata__`; left out where empty
 * @throws Error where a name is taken twice or is `__metadata__`, or the data does not fit the shape
 */
export function writeTensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Blob {
  const fields: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) fields.push(['__metadata__', metadata]);
  const names = new Set(['__metadata__']);
  let at = 0;
  for (const { name, dtype, shape, data } of tensors) {
    if (names.has(name)) throw new Error(`tensor ${JSON.stringify(name)}: the name is taken`);
    names.add(name);
    const bytes = (elementsOf(shape) * DTYPE_BITS[dtype]) / 8;
    if (data.byteLength !== bytes) {
      throw new Error(
        `tensor ${JSON.stringify(name)}: ${data.byteLength} bytes of data (expected ${bytes} for ${dtype} of shape [${shape.join(', ')}])`,
      );
    }
    fields.push([name, { dtype, shape, data_offsets: [at, at + bytes] }]);
    at += bytes;
  }
  // Written field by field: an object would keep names that are integers in another order.
  const json = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(text, 8);
  return new Blob([head, ...tensors.map(({ data }) => data)], {
    type: 'application/octet-stream',
  });
}
