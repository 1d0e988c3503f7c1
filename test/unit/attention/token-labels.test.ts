import { expect, it } from 'vitest';
import { makeProgram } from '../../../lib/attention/program';
import { labelText, runAt, tokenLabels } from '../../../lib/attention/token-labels';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { readingText } from '../../../lib/views/map/reading';

const params = attentionParams.parse({
  shape: { batch: 2, queryHeads: 1, kvHeads: 1, queries: 90, keys: 90, headSize: 8 },
  variant: { type: 'documents', meanDocumentTokens: 9, causal: false },
});

it('are the documents that the mask keeps apart, in every batch entry', () => {
  const { isVisible } = makeProgram(params);
  for (const batch of [0, 1]) {
    const labels = tokenLabels(params, batch);
    expect(labels).toHaveLength(1);
    for (let q = 0; q < 90; q++) {
      for (let k = 0; k < 90; k++) {
        const isSame = labelText(labels, q) === labelText(labels, k);
        expect(isSame).toBe(isVisible(batch, 0, q, k));
      }
    }
  }
  expect(labelText(tokenLabels(params, 0), 0)).toBe('document 0');
});

it('find the run of a position, however long the runs are', () => {
  const runs = { starts: Uint32Array.of(0, 1, 5, 6), values: Int32Array.of(2, 0, 1, 0) };
  expect([0, 1, 4, 5, 6, 99].map((position) => runAt(runs, position))).toEqual([0, 1, 1, 2, 3, 3]);
});

it('are of segments and classes only, each in words', () => {
  const variant = {
    type: 'formula',
    tables: [
      { name: 'bias', source: 'normal' },
      { name: 'speaker', source: 'classes', classes: 3, meanTokens: 4 },
      { name: 'turn', source: 'segments', meanTokens: 6 },
    ],
  };
  const labels = tokenLabels(attentionParams.parse({ shape: params.shape, variant }), 0);
  expect(labels.map(({ name }) => name)).toEqual(['speaker', 'turn']);
  expect(labelText(labels, 0)).toMatch(/^speaker [012], turn 0$/);
  expect(labelText(labels, 2, ['a', 'b', '"c"'])).toMatch(/^"\\"c\\"", speaker [012], turn 0$/);
  expect(labelText([], 3, ['a'])).toBe('');
  // A query before the first key has none.
  expect(labelText(labels, -1)).toBe('');
});

it('are part of the reading', () => {
  const reading = { query: 3, key: 5, first: 0.5, second: undefined };
  const labelOf = { query: () => 'document 1', key: () => '' };
  expect(readingText(reading, ['', ''], undefined, undefined, labelOf)).toBe(
    'query 3 (document 1), key 5: 0.5000',
  );
});
