import { expect, test } from 'vitest';
import { sourceFor } from '../../../lib/attention/file-source';
import type { FileSource } from '../../../lib/spec/kinds/attention';
import { readTensorHeader } from '../../../lib/tensors/header';
import { writeTensors } from '../../../lib/tensors/write';

const headerOf = (names: readonly string[], axes: number, metadata = {}) =>
  readTensorHeader(
    writeTensors(
      names.map((name) => ({
        name,
        dtype: 'F32' as const,
        shape: Array.from({ length: axes }, () => 1),
        data: new Float32Array(1),
      })),
      metadata,
    ),
  );
const before: FileSource = {
  source: 'file',
  fileName: 'old',
  query: 'a',
  key: 'b',
  value: 'c',
  layout: 'bnhd',
};

test.each([
  [
    ['q', 'k', 'v'],
    ['q', 'k', 'v'],
  ],
  [
    ['Key', 'Query', 'Value'],
    ['Query', 'Key', 'Value'],
  ],
  [
    ['layers.3.v', 'layers.3.k', 'layers.3.q', 'layers.3.k_norm'],
    ['layers.3.q', 'layers.3.k', 'layers.3.v'],
  ],
  [
    ['key_states', 'query_states', 'value_states'],
    ['query_states', 'key_states', 'value_states'],
  ],
  // Nothing tells: left for the user.
  [
    ['x', 'y', 'mask'],
    ['q', 'k', 'v'],
  ],
])('names in %j', async (names, [query, key, value]) => {
  const source = sourceFor(await headerOf(names, 4), 'f.safetensors', undefined);
  expect(source).toMatchObject({ fileName: 'f.safetensors', query, key, value, layout: 'bhnd' });
});

test('what the cell had stays where the file has it', async () => {
  const source = sourceFor(await headerOf(['a', 'k', 'c', 'q'], 4), 'f', before);
  expect(source).toMatchObject({ query: 'a', key: 'k', value: 'c', layout: 'bnhd' });
});

test.each([
  [4, {}, 'bnhd'],
  [3, {}, 'hnd'],
  [2, {}, 'nd'],
  [3, { layout: 'nhd' }, 'nhd'],
  [4, { layout: 'nhd' }, 'bnhd'],
  [4, { layout: 'bhnd' }, 'bhnd'],
  [4, { layout: 'toString' }, 'bnhd'],
  [5, {}, 'bnhd'],
])('the layout of %i axes with metadata %j is %s', async (axes, metadata, layout) => {
  const header = await headerOf(['a', 'b', 'c'], axes, metadata);
  expect(sourceFor(header, 'f', before).layout).toBe(layout);
});

test('a long file name is cut to what a document may hold', async () => {
  const source = sourceFor(await headerOf(['q'], 4), 'x'.repeat(300), undefined);
  expect(source.fileName).toHaveLength(200);
});
