import { describe, expect, it, test } from 'vitest';
import { callReference, makeCall } from '../../../lib/attention/recurrent/call';
import {
  presetOf,
  presetParams,
  RECURRENT_PRESETS,
} from '../../../lib/attention/recurrent/presets';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

const current = recurrentParams.parse({
  shape: { tokens: 70, heads: 1, keySize: 3, valueSize: 5 },
  engine: 'cpu',
  seed: 9,
});

describe.each(RECURRENT_PRESETS.map((each) => [each.id, each] as const))(
  'preset %s',
  (id, each) => {
    const params = presetParams(each, current);

    it('is a valid cell that keeps what it does not name', () => {
      expect(recurrentParams.parse(params)).toEqual(params);
      expect(params).toMatchObject({ engine: 'cpu', seed: 9, shape: { tokens: 70, valueSize: 5 } });
    });

    it('is recognised, also with other numbers', () => {
      expect(presetOf(params)?.id).toBe(id);
      expect(presetOf({ ...params, seed: 3, shape: { ...params.shape, tokens: 2 } })?.id).toBe(id);
    });

    it('computes numbers', () => {
      const { output } = callReference(makeCall(params));
      expect(output).toHaveLength(70 * 5);
      expect(output.every(Number.isFinite)).toBe(true);
      expect(output.some((value) => value !== 0)).toBe(true);
    });

    it('says what it is in one sentence', () => {
      expect(each.note).toMatch(/^[a-z].*\.$/);
      expect(each.title).not.toBe('');
    });
  },
);

test('a combination that nobody named is no preset', () => {
  expect(presetOf({ ...current, featureMap: 'softmax' })).toBeUndefined();
});

test('a new cell is one of the presets', () => {
  expect(presetOf(recurrentParams.parse({}))?.id).toBe('gated-deltanet');
});
