import type { ByteSource } from './byte-source';
import { toFloat32 } from './convert';
import { DTYPE_BITS, elementsOf, isReadable, READABLE_DTYPES } from './dtype';
import type { TensorEntry } from './header';

/** Bytes of one read: few enough to cancel soon. */
const SLICE_BYTES = 4 * 2 ** 20;

export interface ReadTensorOptions {
  readonly signal?: AbortSignal;
  /** Called after every slice with the share that was read. */
  readonly onFraction?: (fraction: number) => void;
  /** Bytes per read, a multiple of 8. Default 4 MiB. */
  readonly sliceBytes?: number;
}

/**
 * The values of one tensor in the order of the file, as f32; only its bytes are read, slice by
 * slice. F32, F16 and BF16 are exact; F64 is rounded.
 *
 * @throws Error naming the tensor where the dtype is none of them or a value is not finite in f32,
 *   AbortError when cancelled
 */
export async function readTensor(
  file: ByteSource,
  entry: TensorEntry,
  options: ReadTensorOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const { dtype, name, shape, start, end } = entry;
  const { signal, onFraction, sliceBytes = SLICE_BYTES } = options;
  if (!isReadable(dtype)) {
    throw new Error(
      `tensor ${JSON.stringify(name)} is of dtype ${dtype} (expected ${READABLE_DTYPES.join(', ')})`,
    );
  }
  const elementBytes = DTYPE_BITS[dtype] / 8;
  const values = new Float32Array(elementsOf(shape));
  for (let at = start; at < end; at += sliceBytes) {
    signal?.throwIfAborted();
    const to = Math.min(end, at + sliceBytes);
    const bytes = await file.slice(at, to).arrayBuffer();
    const first = (at - start) / elementBytes;
    const part = values.subarray(first, first + (to - at) / elementBytes);
    toFloat32(bytes, dtype, part);
    const wrong = part.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      const stored =
        dtype === 'F64' ? (new Float64Array(bytes)[wrong] as number) : (part[wrong] as number);
      const what = Number.isFinite(stored)
        ? `value ${stored}, above the range of f32,`
        : `non-finite value ${stored}`;
      throw new Error(
        `${what} in tensor ${JSON.stringify(name)} at [${indexOf(first + wrong, shape).join(', ')}]`,
      );
    }
    onFraction?.((to - start) / (end - start));
  }
  return values;
}

/** Row-major index of an element. */
function indexOf(element: number, shape: readonly number[]): readonly number[] {
  const index: number[] = [];
  let rest = element;
  for (const side of [...shape].reverse()) {
    index.unshift(rest % side);
    rest = Math.floor(rest / side);
  }
  return index;
}
