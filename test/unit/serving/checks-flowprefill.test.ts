import { describe, expect, test } from 'vitest';
import { attainment } from '../../../lib/serving/checks/flowprefill';

const prompt = (arrival: number, tokens: number, slo: number) => ({
  arrival,
  tokens,
  slo,
  deadline: arrival + slo,
});
const SLACK = { type: 's-edf', operatorSeconds: 0.004 } as const;

describe('FlowPrefill: one prefill instance', () => {
  test('a short prompt behind a long one is late first come first served, and in time when the long one pauses', () => {
    const load = [prompt(0, 20_000, 6), prompt(0.1, 200, 0.25)];
    expect(attainment(load, { type: 'fcfs' })).toBe(0.5);
    expect(attainment(load, SLACK)).toBe(1);
  });

  test('chunks let it in only at their end', () => {
    const load = [prompt(0, 20_000, 6), prompt(0.01, 200, 0.05)];
    expect(attainment(load, { type: 'edf', chunkTokens: 8192 })).toBe(0.5);
    expect(attainment(load, SLACK)).toBe(1);
  });

  test('what cannot make it any more does not take time from what can', () => {
    const lost = Array.from({ length: 5 }, (_, i) => prompt(i * 1e-3, 20_000, 0.1));
    const load = [...lost, prompt(0.01, 2000, 0.4)];
    expect(attainment(load, { type: 'edf', chunkTokens: 2048 })).toBe(0);
    expect(attainment(load, SLACK)).toBeCloseTo(1 / 6, 12);
  });

  test('without a queue every rule is in time', () => {
    const load = Array.from({ length: 20 }, (_, i) => prompt(i * 10, 500 + 50 * i, 1));
    for (const rule of [{ type: 'fcfs' }, { type: 'edf', chunkTokens: 512 }, SLACK] as const)
      expect(attainment(load, rule)).toBe(1);
  });
});
