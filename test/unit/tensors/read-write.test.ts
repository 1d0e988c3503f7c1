import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { readTensorHeader } from '../../../lib/tensors/header';
import { readTensor } from '../../../lib/tensors/read-tensor';
import { writeTensors } from '../../../lib/tensors/write';
import { samples } from './arbitrary';

const entryOf = async (file: Blob, name = 'q') => (await readTensorHeader(file)).tensors.get(name)!;

test('what is written is read again, whatever the dtype, shape and slices', async () => {
  await fc.assert(
    fc.asyncProperty(
      samples,
      fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 20 })),
      fc.constantFrom(8, 16, 64, undefined),
      async (written, metadata, sliceBytes) => {
        const file = writeTensors(
          written.map(({ tensor }) => tensor),
          metadata,
        );
        const header = await readTensorHeader(file);
        expect([...header.tensors.keys()]).toEqual(written.map(({ tensor }) => tensor.name));
        expect(new Map(header.metadata)).toEqual(new Map(Object.entries(metadata)));
        for (const { tensor, values } of written) {
          const entry = header.tensors.get(tensor.name)!;
          expect(entry).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape });
          const read = await readTensor(
            file,
            entry,
            sliceBytes === undefined ? {} : { sliceBytes },
          );
          expect([...read].every((value, i) => Object.is(value, values[i]))).toBe(true);
          expect(read).toHaveLength(values.length);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('reads only the bytes of the header and of the tensor', async () => {
  const data = Float32Array.from({ length: 5000 }, (_, i) => i);
  const file = writeTensors(
    ['k', 'q', 'v'].map((name) => ({ name, dtype: 'F32', shape: [50, 100], data })),
  );
  const slice = vi.spyOn(file, 'slice');
  const entry = await entryOf(file);
  slice.mockClear();
  const fractions: number[] = [];
  await readTensor(file, entry, { sliceBytes: 8192, onFraction: (f) => fractions.push(f) });
  const read = slice.mock.calls.map(([from, to]) => [from, to] as [number, number]);
  expect(read[0]![0]).toBe(entry.start);
  expect(read.at(-1)![1]).toBe(entry.end);
  expect(read.reduce((sum, [from, to]) => sum + to - from, 0)).toBe(20_000);
  expect(fractions).toEqual([8192 / 20_000, 16_384 / 20_000, 1]);
});

test('a cancel is heard between slices', async () => {
  const data = new Float32Array(64);
  const file = writeTensors([{ name: 'q', dtype: 'F32', shape: [64], data }]);
  const control = new AbortController();
  const reading = readTensor(file, await entryOf(file), {
    sliceBytes: 8,
    signal: control.signal,
    onFraction: () => control.abort(),
  });
  await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
});

test.each([
  ['F32', new Float32Array([0, 1, Number.NaN, 3, 4, 5]), 'non-finite value NaN'],
  ['F16', new Uint16Array([0, 1, 0xfc00, 3, 4, 5]), 'non-finite value -Infinity'],
  ['BF16', new Uint16Array([0, 1, 0x7f80, 3, 4, 5]), 'non-finite value Infinity'],
  ['F64', new Float64Array([0, 1, Number.NaN, 3, 4, 5]), 'non-finite value NaN'],
  ['F64', new Float64Array([0, 1, 1e39, 3, 4, 5]), 'value 1e+39, above the range of f32,'],
] as const)('%s: %s is named with its index', async (dtype, data, what) => {
  const file = writeTensors([{ name: 'q', dtype, shape: [1, 3, 2], data }]);
  await expect(readTensor(file, await entryOf(file), { sliceBytes: 8 })).rejects.toThrow(
    new Error(`${what} in tensor "q" at [0, 1, 0]`),
  );
});

test('other dtypes are refused by name', async () => {
  const data = new BigInt64Array([1n]);
  const file = writeTensors([{ name: 'q', dtype: 'I64', shape: [1], data }]);
  await expect(readTensor(file, await entryOf(file))).rejects.toThrow(
    new Error('tensor "q" is of dtype I64 (expected F32, F16, BF16, F64)'),
  );
});

test('the writer refuses what would be no file', () => {
  const data = new Float32Array(3);
  const tensor = { name: 'q', dtype: 'F32', shape: [3], data } as const;
  expect(() => writeTensors([tensor, tensor])).toThrow('tensor "q": the name is taken');
  expect(() => writeTensors([{ ...tensor, name: '__metadata__' }])).toThrow('the name is taken');
  expect(() => writeTensors([{ ...tensor, shape: [2] }])).toThrow(
    'tensor "q": 12 bytes of data (expected 8 for F32 of shape [2])',
  );
});
