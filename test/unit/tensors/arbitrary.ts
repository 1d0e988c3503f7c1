import fc from 'fast-check';
import { elementsOf } from '../../../lib/tensors/dtype';
import type { TensorToWrite } from '../../../lib/tensors/write';

/** A tensor and its values as f32. */
export interface Sample {
  readonly tensor: TensorToWrite;
  readonly values: readonly number[];
}

/** binary16 from its definition: sign, exponent of bias 15, ten bits of fraction. */
function half(bits: number): number {
  const exponent = (bits & 0x7c00) >> 10;
  const fraction = bits & 0x3ff;
  const magnitude =
    exponent === 0 ? (fraction / 1024) * 2 ** -14 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}

function brain(bits: number): number {
  return new DataView(new Uint8Array([0, 0, bits & 255, bits >> 8]).buffer).getFloat32(0, true);
}

const finite = (exponentMask: number) =>
  fc.integer({ min: 0, max: 65_535 }).filter((bits) => (bits & exponentMask) !== exponentMask);
const single = fc.float({ noNaN: true, noDefaultInfinity: true });

const dtypes = {
  F32: single.map((x) => ({ stored: x, value: x })),
  F16: finite(0x7c00).map((bits) => ({ stored: bits, value: half(bits) })),
  BF16: finite(0x7f80).map((bits) => ({ stored: bits, value: brain(bits) })),
  F64: fc
    .double({ noNaN: true, min: -1e38, max: 1e38 })
    .map((x) => ({ stored: x, value: Math.fround(x) })),
} as const;

const ARRAYS = { F32: Float32Array, F16: Uint16Array, BF16: Uint16Array, F64: Float64Array };

/** Tensors of any rank, empty and scalar ones too, of the dtypes that are read. */
export const samples: fc.Arbitrary<readonly Sample[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.oneof(
        fc.constantFrom('q', 'k', 'layer.0/keys', '0', '7', '__proto__', 'constructor', ' "\\'),
        fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => name !== '__metadata__'),
      ),
      dtype: fc.constantFrom(...(Object.keys(dtypes) as (keyof typeof dtypes)[])),
      shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
    }),
    { selector: ({ name }) => name, maxLength: 6 },
  )
  .chain((entries) =>
    fc.tuple(
      ...entries.map(({ name, dtype, shape }) => {
        const length = elementsOf(shape);
        return fc
          .array(dtypes[dtype] as fc.Arbitrary<{ stored: number; value: number }>, {
            minLength: length,
            maxLength: length,
          })
          .map((elements) => ({
            tensor: {
              name,
              dtype,
              shape,
              data: ARRAYS[dtype].from(elements.map(({ stored }) => stored)),
            },
            values: elements.map(({ value }) => value),
          }));
      }),
    ),
  );

/** A file from header text and a number of data bytes, right or wrong. */
export function fileOf(header: string | Uint8Array, dataBytes = 0, declared?: bigint): Blob {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, declared ?? BigInt(text.length), true);
  return new Blob([length, text as Uint8Array<ArrayBuffer>, new Uint8Array(dataBytes)]);
}
