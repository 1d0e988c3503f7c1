import { expect, it } from 'vitest';
import { buildBlockList } from '../../../lib/attention/block-list';
import { elementCost } from '../../../lib/attention/element-cost';
import { makeInputs } from '../../../lib/attention/inputs';
import { elementScore, mapWindow } from '../../../lib/attention/map';
import { attentionReference } from '../../../lib/attention/reference';
import { packBlockList } from '../../../lib/gpu/packed-list';
import { attentionParams } from '../../../lib/spec/kinds/attention';

const params = attentionParams.parse({
  shape: { batch: 2, queryHeads: 4, kvHeads: 2, queries: 40, keys: 56, headSize: 8 },
  variant: { type: 'documents', meanDocumentTokens: 12 },
});
const inputs = makeInputs(params);

it('shares of the visited blocks of every head and batch entry add up to the call', () => {
  const { shape } = params;
  const packed = packBlockList(inputs, 16, 8, shape.queryHeads);
  const summary = { ...packed, blockQueries: 16, blockKeys: 8 };
  let shares = 0;
  for (let b = 0; b < shape.batch; b++) {
    const list = buildBlockList(inputs.program, shape, b, [0, 0], 16, 8);
    for (let q = 0; q < shape.queries; q += 16) {
      for (let k = 0; k < shape.keys; k += 8) {
        const { shareOfCall, flops, pairs } = elementCost(list, shape, summary, q, k);
        shares += shareOfCall * shape.queryHeads;
        expect(flops).toBe(32 * pairs);
        expect(pairs).toBe(shareOfCall === 0 ? 0 : 128);
      }
    }
  }
  expect(shares).toBeCloseTo(1, 10);
});

it('the score of an element gives its probability', () => {
  const { lse } = attentionReference(inputs);
  const rect = { queryStart: 3, queryEnd: 9, keyStart: 15, keyEnd: 25 };
  const { probabilities } = mapWindow(inputs, lse, 1, 3, rect);
  let seen = 0;
  probabilities.forEach((p, i) => {
    if (Number.isNaN(p)) return;
    const element = { query: 3 + Math.floor(i / 10), key: 15 + (i % 10) };
    const { score, lse: rowLse } = elementScore(inputs, lse, 1, 3, element);
    expect(Math.exp(score - rowLse)).toBeCloseTo(p, 6);
    seen++;
  });
  expect(seen).toBeGreaterThan(0);
});
