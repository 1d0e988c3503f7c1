import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileInputs } from '../../../lib/attention/file-inputs';
import { fileShape } from '../../../lib/attention/file-shape';
import { makeInputs } from '../../../lib/attention/inputs';
import { attentionReference } from '../../../lib/attention/reference';
import { tensorFile } from '../../../lib/attention/tensor-file';
import {
  type AttentionParams,
  attentionParams,
  type FileSource,
  TENSOR_LAYOUTS,
} from '../../../lib/spec/kinds/attention';
import { readTensorHeader } from '../../../lib/tensors/header';
import { writeTensors } from '../../../lib/tensors/write';

const SHAPE = { batch: 1, queryHeads: 2, kvHeads: 1, queries: 3, keys: 5, headSize: 4 };

function paramsOf(source: Partial<FileSource> = {}, shape: object = SHAPE): AttentionParams {
  return attentionParams.parse({ shape, inputs: { source: 'file', ...source } });
}

const named = (blob: Blob) => new File([blob], 'qkv.safetensors', { lastModified: 1 });

/** A file of zeros with the shapes given. */
function zeros(shapes: Readonly<Record<string, readonly number[]>>, metadata = {}): File {
  const tensors = Object.entries(shapes).map(([name, shape]) => ({
    name,
    dtype: 'F32' as const,
    shape,
    data: new Float32Array(shape.reduce((product, side) => product * side, 1)),
  }));
  return named(writeTensors(tensors, metadata));
}

const Q = [1, 2, 3, 4];
const K = [1, 1, 5, 4];

test('what a synthetic cell exports is read as the same inputs, to the bit', async () => {
  const params = attentionParams.parse({ shape: { ...SHAPE, batch: 2 }, seed: 5 });
  const inputs = makeInputs(params);
  const output = attentionReference(inputs);
  const tokens = ['a', 'b', 'c', 'd', '"e"'];
  const file = named(tensorFile(params, inputs, output, tokens));
  const read = await fileInputs({ ...params, inputs: paramsOf().inputs }, file);
  for (const part of ['query', 'key', 'value'] as const)
    expect(read.inputs[part]).toEqual(inputs[part]);
  expect(read.tokens).toEqual(tokens);
  expect(read.notes).toEqual(['inputs from "qkv.safetensors": q (F32), k (F32), v (F32)']);
  const { tensors, metadata } = await readTensorHeader(file);
  expect(JSON.parse(metadata.get('params')!)).toEqual(params);
  expect(tensors.get('output')).toMatchObject({ dtype: 'F64', shape: [2, 2, 3, 4] });
  expect(tensors.get('lse')).toMatchObject({ dtype: 'F64', shape: [2, 2, 3] });
});

/** Values that tell where they belong: batch, head, position, dim. */
const label = (b: number, h: number, n: number, d: number) => ((b * 8 + h) * 8 + n) * 8 + d;

test('every layout puts each value where it belongs', async () => {
  const side = (max: number) => fc.integer({ min: 1, max });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...TENSOR_LAYOUTS),
      fc.record({ b: side(3), g: side(2), kv: side(2), nq: side(4), nk: side(4) }),
      async (layout, { b, g, kv, nq, nk }) => {
        const batch = layout.includes('b') ? b : 1;
        const kvHeads = layout.includes('h') ? kv : 1;
        const queryHeads = layout.includes('h') ? g * kv : 1;
        const tensor = (name: string, heads: number, positions: number) => {
          const sides: Record<string, number> = { b: batch, h: heads, n: positions, d: 4 };
          const shape = [...layout].map((axis) => sides[axis] as number);
          const values: number[] = [];
          const walk = (axis: number, at: Record<string, number>): void => {
            if (axis === layout.length) {
              values.push(label(at.b ?? 0, at.h ?? 0, at.n ?? 0, at.d ?? 0));
              return;
            }
            for (let i = 0; i < shape[axis]!; i++) walk(axis + 1, { ...at, [layout[axis]!]: i });
          };
          walk(0, {});
          return { name, dtype: 'F32' as const, shape, data: Float32Array.from(values) };
        };
        const file = named(
          writeTensors([
            tensor('a', queryHeads, nq),
            tensor('b', kvHeads, nk),
            tensor('c', kvHeads, nk),
          ]),
        );
        const shape = { batch, queryHeads, kvHeads, queries: nq, keys: nk, headSize: 4 };
        const source = { query: 'a', key: 'b', value: 'c', layout };
        const { inputs } = await fileInputs(paramsOf(source, shape), file);
        const expected = (heads: number, positions: number) => {
          const out: number[] = [];
          for (let i = 0; i < batch; i++)
            for (let h = 0; h < heads; h++)
              for (let n = 0; n < positions; n++)
                for (let d = 0; d < 4; d++) out.push(label(i, h, n, d));
          return Float32Array.from(out);
        };
        expect(inputs.query).toEqual(expected(queryHeads, nq));
        expect(inputs.key).toEqual(expected(kvHeads, nk));
        expect(inputs.value).toEqual(expected(kvHeads, nk));
      },
    ),
    { numRuns: 150 },
  );
});

test('the shape of a file is that of its tensors', async () => {
  const header = await readTensorHeader(zeros({ q: [7, 4, 8], k: [9, 2, 8], v: [9, 2, 8] }));
  const { inputs } = paramsOf({ layout: 'nhd' });
  expect(fileShape(header, inputs as FileSource)).toEqual({
    batch: 1,
    queryHeads: 4,
    kvHeads: 2,
    queries: 7,
    keys: 9,
    headSize: 8,
  });
});

describe('what does not fit is refused with a sentence', () => {
  const cases: readonly [
    name: string,
    shapes: Readonly<Record<string, readonly number[]>>,
    source: Partial<FileSource>,
    message: string,
  ][] = [
    [
      'a missing tensor',
      { query: Q, k: K, v: K },
      {},
      'no tensor "q" for the query in the file (found "query", "k", "v")',
    ],
    ['an empty file', {}, {}, 'no tensor "q" for the query in the file (found none)'],
    [
      'another number of axes',
      { q: [2, 3, 4], k: K, v: K },
      {},
      'tensor "q" [2, 3, 4] has 3 axes (expected 4 for layout bhnd)',
    ],
    [
      'a value of another shape',
      { q: Q, k: K, v: [1, 1, 5, 8] },
      {},
      'key "k" [1, 1, 5, 4] and value "v" [1, 1, 5, 8] differ (expected equal shapes)',
    ],
    [
      'another head size',
      { q: [1, 2, 3, 8], k: K, v: K },
      {},
      'query "q" [1, 2, 3, 8] and key "k" [1, 1, 5, 4] do not fit: headSize 8 and 4 (expected the same)',
    ],
    [
      'another batch',
      { q: [2, 2, 3, 4], k: K, v: K },
      {},
      'query "q" [2, 2, 3, 4] and key "k" [1, 1, 5, 4] do not fit: batch 2 and 1 (expected the same)',
    ],
    [
      'heads that share nothing',
      { q: [1, 3, 3, 4], k: [1, 2, 5, 4], v: [1, 2, 5, 4] },
      {},
      'query "q" [1, 3, 3, 4] and key "k" [1, 2, 5, 4] in layout bhnd: invalid kvHeads: 2 (expected a divisor of queryHeads)',
    ],
    [
      'a head size beyond the kernels',
      { q: [1, 2, 3, 6], k: [1, 1, 5, 6], v: [1, 1, 5, 6] },
      {},
      'query "q" [1, 2, 3, 6] and key "k" [1, 1, 5, 6] in layout bhnd: invalid headSize: 6 (expected a multiple of 4)',
    ],
    [
      'more keys than a cell may have',
      { q: [3, 4], k: [70_000, 4], v: [70_000, 4] },
      { layout: 'nd' },
      'query "q" [3, 4] and key "k" [70000, 4] in layout nd: invalid keys: 70000 (expected 1..65536)',
    ],
    [
      'another shape than the cell',
      { q: [1, 2, 7, 4], k: [1, 1, 9, 4], v: [1, 1, 9, 4] },
      {},
      'the file has another shape than this cell: queries 7 (here 3), keys 9 (here 5); take the shape from the file, or choose another file',
    ],
  ];
  test.each(cases)('%s', async (_name, shapes, source, message) => {
    await expect(fileInputs(paramsOf(source), zeros(shapes))).rejects.toThrow(new Error(message));
  });

  test('no file, and a source that is none', async () => {
    await expect(fileInputs(paramsOf(), undefined)).rejects.toThrow('needs a file');
    await expect(fileInputs(attentionParams.parse({}), undefined)).rejects.toThrow('from a seed');
    expect(() => makeInputs(paramsOf())).toThrow('the inputs come from a file, not a seed');
  });

  test.each([
    ['["a"]', "the file's tokens were left out: 1 of them (expected 5, one per key)"],
    ['[1,2,3,4,5]', "the file's tokens were left out: not a JSON list of strings"],
    ['{', "the file's tokens were left out: not a JSON list of strings"],
  ])('tokens %s are left out with a note', async (tokens, note) => {
    const read = await fileInputs(paramsOf(), zeros({ q: Q, k: K, v: K }, { tokens }));
    expect(read.tokens).toBeUndefined();
    expect(read.notes[1]).toBe(note);
  });
});
