import { describe, expect, it } from 'vitest';
import { makeInputs } from '../../../lib/attention/inputs';
import { mapBaseSteps } from '../../../lib/attention/map';
import { classifyPattern, type HeadPattern } from '../../../lib/attention/pattern-class';
import { attentionReference } from '../../../lib/attention/reference';
import type { MapBase } from '../../../lib/attention/types';
import { attentionParams } from '../../../lib/spec/kinds/attention';

const NONE = { bandStrength: 0, sinkStrength: 0, needleStrength: 0, inductionStrength: 0 };

/** The pattern of head 0, which has the strengths as they are given. */
function patternOf(
  structure: object,
  seed = 1,
  tokens = 640,
  variant: object = { type: 'causal' },
) {
  const params = attentionParams.parse({
    shape: { queryHeads: 1, kvHeads: 1, queries: tokens, keys: tokens, headSize: 64 },
    structure: { ...NONE, ...structure },
    variant,
    seed,
  });
  const inputs = makeInputs(params);
  const steps = mapBaseSteps(inputs, attentionReference(inputs).lse, 0, 0);
  for (;;) {
    const step = steps.next();
    if (step.done) return classifyPattern(step.value);
  }
}

const sumOf = ({ shares }: HeadPattern) => Object.values(shares).reduce((a, b) => a + b, 0);

/** A causal map whose rows give `weight` to each key, normalised. */
function causalBase(size: number, weight: (query: number, key: number) => number): MapBase {
  const mean = new Float32Array(size * size).fill(Number.NaN);
  for (let q = 0; q < size; q++) {
    let sum = 0;
    for (let k = 0; k <= q; k++) sum += weight(q, k);
    for (let k = 0; k <= q; k++) mean[q * size + k] = weight(q, k) / sum;
  }
  return { rows: size, columns: size, queries: size, keys: size, max: mean, mean };
}

describe('the pattern of seeded structure', () => {
  it.each([
    ['local', { bandStrength: 6, bandWidthTokens: 24 }],
    ['sink', { sinkStrength: 9, sinkTokens: 2 }],
    ['diagonal', { inductionStrength: 7, inductionPeriodTokens: 160 }],
    ['diffuse', {}],
  ] as const)('is %s', (name, structure) => {
    for (const seed of [1, 2, 3]) {
      const pattern = patternOf(structure, seed);
      expect(pattern.class).toBe(name);
      expect(sumOf(pattern)).toBeCloseTo(1, 3);
    }
  });

  it('keeps its name where cells are several tokens wide', () => {
    expect(patternOf({ bandStrength: 6, bandWidthTokens: 32 }, 1, 1100).class).toBe('local');
    expect(patternOf({ sinkStrength: 9 }, 1, 1100).class).toBe('sink');
  });

  it('is diffuse in a window that is all band: an even head would be there too', () => {
    const variant = { type: 'sliding-window', windowTokens: 32 };
    expect(patternOf({}, 1, 640, variant).class).toBe('diffuse');
  });

  it('is the more even the less structure there is', () => {
    const plain = patternOf({});
    expect(plain.evenness).toBeGreaterThan(patternOf({ bandStrength: 4 }).evenness);
    expect(plain.evenness).toBeLessThanOrEqual(1);
  });
});

describe('the pattern of a made map', () => {
  it('is vertical where single columns take most', () => {
    const isLine = (k: number) => k === 40 || k === 8;
    const pattern = classifyPattern(causalBase(256, (_, k) => (isLine(k) ? 200 : 1)));
    expect(pattern.class).toBe('vertical');
    expect(pattern.shares.vertical).toBeGreaterThan(0.5);
  });

  it('is diagonal where one distance takes most', () => {
    const pattern = classifyPattern(causalBase(256, (q, k) => (q - k === 100 ? 300 : 1)));
    expect(pattern.class).toBe('diagonal');
    expect(pattern.shares.local).toBeLessThan(0.5);
  });

  it('is perfectly even where all keys get the same', () => {
    const pattern = classifyPattern(causalBase(128, () => 1));
    expect(pattern.class).toBe('diffuse');
    expect(pattern.evenness).toBeCloseTo(1, 6);
  });
});
