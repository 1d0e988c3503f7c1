import { describe, expect, test } from 'vitest';
import { compareOutputs, findLost, rowsToCheck } from '../../../lib/attention/compare';
import { kernelError, rowsToCompare } from '../../../lib/attention/decode/errors';
import { makeInputs } from '../../../lib/attention/inputs';
import { attentionReference } from '../../../lib/attention/reference';
import { attentionParams } from '../../../lib/spec/kinds/attention';

const params = attentionParams.parse({
  shape: { batch: 2, queryHeads: 3, kvHeads: 1, queries: 30, keys: 20, headSize: 8 },
  variant: { type: 'causal' },
});
const inputs = makeInputs(params);
const right = attentionReference(inputs);
/** Enough for the first and last row of each head. */
const budget = { maxFlops: 1 };

/** A row that such a comparison leaves out: the last but one of entry 1, head 2. */
const row = (1 * 3 + 2) * 30 + 28;

describe('rows that are not compared', () => {
  test('the row of these tests is one of them', () => {
    expect([...rowsToCheck(params.shape, budget.maxFlops)]).not.toContain(row);
    expect(compareOutputs(inputs, right, budget)).toMatchObject({ withinTolerance: true });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'an output of %d is found and named',
    (lost) => {
      const output = right.output.with(row * 8 + 5, lost);
      const error = compareOutputs(inputs, { ...right, output }, budget);
      expect(error).toMatchObject({
        withinTolerance: false,
        maxAbs: Number.NaN,
        at: { batch: 1, head: 2, query: 28 },
      });
    },
  );

  test('so is a log-sum-exp that is no number; -Infinity is a masked row', () => {
    // Query 0 of 30 stands before the first of 20 keys.
    expect(right.lse[0]).toBe(Number.NEGATIVE_INFINITY);
    expect(findLost(right, 8)).toBe(-1);
    for (const lost of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const error = compareOutputs(inputs, { ...right, lse: right.lse.with(row, lost) }, budget);
      expect(error).toMatchObject({ withinTolerance: false, at: { query: 28 } });
    }
  });

  test('a decode step that is checked on some rows finds them too', () => {
    const shape = { ...params.shape, queries: 8 };
    const of = makeInputs({ ...params, shape });
    const { output, lse } = attentionReference(of);
    const rows = rowsToCompare(shape, 1);
    const checked = {
      rows,
      output: Float64Array.from(
        [...rows].flatMap((each) => [...output.subarray(each * 8, each * 8 + 8)]),
      ),
      lse: Float64Array.from(rows, (each) => lse[each]!),
    };
    expect(kernelError(shape, { output, lse }, checked).withinTolerance).toBe(true);
    const left = [...lse.keys()].find((each) => !rows.includes(each))!;
    const wrong = { output: output.with(left * 8, Number.NaN), lse };
    expect(kernelError(shape, wrong, checked).withinTolerance).toBe(false);
  });
});
