import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeInputs } from '../../../lib/attention/inputs';
import {
  kernelBytes,
  PASS_SCHEMES,
  passTensorBytes,
  schemeBytes,
  stepBytes,
} from '../../../lib/attention/passes';
import { packBlockList } from '../../../lib/gpu/packed-list';
import { attentionParams } from '../../../lib/spec/kinds/attention';

const SHAPE = { batch: 2, queryHeads: 4, kvHeads: 2, queries: 64, keys: 128, headSize: 16 };
const byId = Object.fromEntries(PASS_SCHEMES.map((scheme) => [scheme.id, scheme]));

describe('passes', () => {
  it('read nothing that was neither given nor written before, and leave O', () => {
    for (const { steps } of PASS_SCHEMES) {
      const there = new Set<string>(['Q', 'K', 'V']);
      for (const { reads, writes } of steps) {
        for (const tensor of reads) expect(there.has(tensor)).toBe(true);
        for (const tensor of writes) there.add(tensor);
      }
      expect(there.has('O') && there.has('LSE')).toBe(true);
    }
  });

  it('are counted by hand for a small shape', () => {
    // Q and O: 2 x 4 x 64 x 16 f32, K and V: 2 x 2 x 128 x 16, S and P: 2 x 4 x 64 x 128, LSE: 2 x 4 x 64.
    expect(passTensorBytes(SHAPE)).toEqual({
      Q: 32_768,
      K: 32_768,
      V: 32_768,
      S: 262_144,
      P: 262_144,
      O: 32_768,
      LSE: 2048,
    });
    const [three, two, one] = PASS_SCHEMES.map((scheme) => schemeBytes(scheme, SHAPE));
    expect(one).toBe(4 * 32_768 + 2048);
    expect(two).toBe((one as number) + 2 * 262_144);
    expect(three).toBe((one as number) + 5 * 262_144);
  });

  it('differ by the scores alone: quadratic against linear', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), (power) => {
        const tokens = 2 ** power;
        const shape = { ...SHAPE, queries: tokens, keys: tokens };
        const twice = { ...SHAPE, queries: 2 * tokens, keys: 2 * tokens };
        const bytes = (id: string, of: typeof shape) => {
          const scheme = byId[id];
          if (scheme === undefined) throw new Error(`no scheme: ${id}`);
          return schemeBytes(scheme, of);
        };
        expect(bytes('one-pass', twice)).toBe(2 * bytes('one-pass', shape));
        const scores = (of: typeof shape) => bytes('three-pass', of) - bytes('one-pass', of);
        expect(scores(twice)).toBe(4 * scores(shape));
      }),
    );
  });

  it('sum their steps', () => {
    for (const scheme of PASS_SCHEMES) {
      const steps = scheme.steps.map((step) => stepBytes(step, SHAPE));
      expect(steps.reduce((a, b) => a + b, 0)).toBe(schemeBytes(scheme, SHAPE));
    }
  });
});

describe("a kernel's bytes", () => {
  it('are a one-pass scheme where one query block visits everything once', () => {
    const shape = { ...SHAPE, kvHeads: 4 };
    const list = { blockQueries: 64, blockKeys: 32, full: 4, partial: 0, total: 4 };
    expect(kernelBytes(shape, list, 1)).toBe(
      PASS_SCHEMES.filter(({ id }) => id === 'one-pass').map((each) => schemeBytes(each, shape))[0],
    );
  });

  it('follow the list that the kernel walks, whether heads share it or not', () => {
    const params = attentionParams.parse({
      shape: SHAPE,
      variant: { type: 'documents', meanDocumentTokens: 24 },
    });
    const packed = packBlockList(makeInputs(params), 16, 8, SHAPE.queryHeads);
    const bytes = kernelBytes(SHAPE, { ...packed, blockQueries: 16, blockKeys: 8 }, 1);
    // Documents differ by batch entry, and heads share their list: every head walks its entry's.
    const visits = packed.entries.length * SHAPE.queryHeads;
    const { Q, O, LSE } = passTensorBytes(SHAPE);
    expect(bytes).toBeCloseTo(Q + O + LSE + visits * 2 * 4 * 8 * 16, 6);
  });
});
