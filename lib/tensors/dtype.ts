/** Bits per element of every dtype that the format knows, by its name in a header. */
export const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  F64: 64,
  I64: 64,
  U64: 64,
  C64: 64,
} as const;
export type Dtype = keyof typeof DTYPE_BITS;

/** Dtypes whose values this page reads. */
export const READABLE_DTYPES = ['F32', 'F16', 'BF16', 'F64'] as const satisfies readonly Dtype[];
export type ReadableDtype = (typeof READABLE_DTYPES)[number];

export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPE_BITS, name);
}

export function isReadable(dtype: Dtype): dtype is ReadableDtype {
  return READABLE_DTYPES.some((each) => each === dtype);
}

/** Elements of a shape; a scalar has one. Exact below 2^53, else not a safe integer. */
export function elementsOf(shape: readonly number[]): number {
  // A zero anywhere empties the tensor, whatever the other sides multiply to.
  return shape.includes(0) ? 0 : shape.reduce((product, side) => product * side, 1);
}
