import { describe, expect, it } from 'vitest';
import { sweepSubject } from '../../../lib/cli/commands/sweep';
import { maximumRate, sweepRates } from '../../../lib/serving/sweep';
import { type Notebook, notebookSchema } from '../../../lib/spec/notebook';
import { sweepCsv } from '../../../lib/views/sweep-rows';

function notebookOf(strategy: object, slo: object = {}): Notebook {
  return notebookSchema.parse({
    version: 1,
    cells: [
      {
        id: 'load',
        kind: 'workload',
        params: {
          source: {
            type: 'generator',
            lengths: 'fixed',
            promptTokens: 400,
            outputTokens: 40,
            requests: 300,
          },
        },
      },
      { id: 's', kind: 'serve', inputs: ['load'], params: { strategy, slo } },
    ],
  });
}

describe('sweep', () => {
  it('gives goodput that follows the rate and then falls, and marks unstable points', () => {
    const subject = sweepSubject(notebookOf({ type: 'sarathi' }), 's', 3);
    const points = sweepRates(subject, [2, 8, 200]);
    const [low, middle, high] = points;
    expect(low?.holds).toBe(true);
    expect(low?.goodputPerSecond.mean).toBeGreaterThan(1.7);
    expect(middle?.goodputPerSecond.mean).toBeGreaterThan(6);
    expect(high?.holds).toBe(false);
    expect(high?.unstableSeeds).toBe(3);
    expect(low?.goodputPerSecond.least).toBeLessThan(low?.goodputPerSecond.most as number);
    expect(sweepRates(subject, [8])[0]).toEqual(middle);
    const lines = sweepCsv(points).trim().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[3]).toMatch(/^200,.*,3,no$/);
  });

  it('brackets the highest rate that holds, and two replicas hold about twice as much', () => {
    const of = (replicas: number) =>
      maximumRate(sweepSubject(notebookOf({ type: 'sarathi', replicas }), 's', 2));
    const one = of(1);
    expect(one.ratePerSecond).toBeGreaterThan(4);
    expect(one.failsAtPerSecond / one.ratePerSecond).toBeLessThan(1.021);
    const rates = one.points.map((point) => point.ratePerSecond);
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    for (const point of one.points) {
      if (point.ratePerSecond === one.ratePerSecond) expect(point.holds).toBe(true);
      if (point.ratePerSecond === one.failsAtPerSecond) expect(point.holds).toBe(false);
    }
    const ratio = of(2).ratePerSecond / one.ratePerSecond;
    expect(ratio).toBeGreaterThan(1.5);
    expect(ratio).toBeLessThan(3);
  });

  it('says that no rate can hold what a request alone misses', () => {
    const subject = sweepSubject(notebookOf({ type: 'vllm' }, { ttftSeconds: 0.001 }), 's', 1);
    const found = maximumRate(subject);
    expect(found.ratePerSecond).toBe(0);
    expect(found.points.every(({ holds }) => !holds)).toBe(true);
  });

  it('names what it cannot sweep', () => {
    const notebook = notebookOf({ type: 'vllm' });
    expect(() => sweepSubject(notebook, 'load', 1)).toThrow(/^no serve cell "load" \(found s\)$/);
    const subject = sweepSubject(notebook, 's', 1);
    expect(() => sweepRates(subject, [0])).toThrow(/^invalid rate: 0 \/s/);
    expect(() => maximumRate(subject, 1, 2)).toThrow(/^invalid tolerance: 2/);
  });
});
