import { describe, expect, it } from 'vitest';
import { apex } from '../../../lib/serving/checks/apex';
import { deepspeedFastgen } from '../../../lib/serving/checks/deepspeed-fastgen';
import { distserve } from '../../../lib/serving/checks/distserve';
import { megatronLm } from '../../../lib/serving/checks/megatron-lm';
import { pdServe } from '../../../lib/serving/checks/pd-serve';
import { sarathiServe } from '../../../lib/serving/checks/sarathi-serve';
import { type CheckResult, isWithin, type RowCheck } from '../../../lib/serving/checks/types';

function run(check: RowCheck): CheckResult {
  const steps = check.run(1);
  let last = 0;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    expect(step.value.fraction).toBeGreaterThanOrEqual(last);
    expect(step.value.fraction).toBeLessThan(1);
    last = step.value.fraction;
  }
}

/** Labels of the figures outside of their bands: where our model and the published one part, as its notes say. */
const outside = ({ figures }: CheckResult): readonly string[] =>
  figures.filter((figure) => isWithin(figure) === false).map(({ label }) => label);

const figureOf = ({ figures }: CheckResult, label: RegExp): number =>
  figures.find((figure) => label.test(figure.label))?.value ?? Number.NaN;

describe('checks of parallel plans and capacity', () => {
  it('Sarathi-Serve holds a strict limit in the band, and a relaxed one just below it', () => {
    const result = run(sarathiServe);
    expect(outside(result)).toEqual([
      'capacity, Sarathi with 2048 tokens against vLLM, gaps up to 0.5 s',
    ]);
    expect(figureOf(result, /gaps up to 0.5 s/)).toBeGreaterThan(1.1);
  }, 120_000);

  it('DistServe wins at a tight limit in the band, and loses at a loose one where prompts run alone', () => {
    const result = run(distserve);
    expect(outside(result)).toEqual([
      'with a mean TPOT of 100 ms, against the better of vLLM and Orca: apart loses',
    ]);
    expect(figureOf(result, /^the same where prompts that saturate/)).toBeLessThan(
      figureOf(result, /100 ms.*: apart loses/),
    );
    const ideal = figureOf(result, /^ideal/);
    expect(figureOf(result, /^2 prefill and 1 decode, per/)).toBeLessThanOrEqual(ideal * 1.1);
  }, 120_000);

  it('FastGen gains the more the faster generation must be', () => {
    const result = run(deepspeedFastgen);
    expect(outside(result)).toEqual([
      'effective throughput, exact fill against prompts first, at 2 tokens/s',
      'effective throughput, exact fill against prompts first, at 6 tokens/s',
    ]);
    const [at2, at4, at6] = [2, 4, 6].map((speed) =>
      figureOf(result, new RegExp(`^effective.*at ${speed} tokens/s`)),
    );
    expect(at2).toBeGreaterThan(1.1);
    expect(at4).toBeGreaterThan(at2 as number);
    expect(at6).toBeGreaterThan(at4 as number);
  });

  it('P/D-Serve has its peak where the pools balance', () => {
    const result = run(pdServe);
    expect(outside(result)).toEqual([
      'throughput at the best ratio over the worse of twice and half of it',
      'prefills in time at 12 requests/s, shortest queue by reports 100 ms old',
      'transfer time saved by one message, control at 0.4 of the time of a block',
    ]);
    expect(figureOf(result, /twice and half/)).toBeGreaterThan(1.3);
    const rates = result.series[0]?.lines[0]?.y ?? [];
    const peak = rates.indexOf(Math.max(...rates));
    rates.forEach((rate, i) => {
      if (i > 0 && i <= peak) expect(rate).toBeGreaterThan(rates[i - 1] as number);
      if (i > peak) expect(rate).toBeLessThan(rates[i - 1] as number);
    });
    // (n - 1) a / (n (a + 1)) of 128 blocks.
    expect(figureOf(result, /control at 0.8/)).toBeCloseTo((100 * 127 * 0.8) / (128 * 1.8), 6);
  });

  it('APEX: the best plan flips with the lengths', () => {
    const result = run(apex);
    expect(figureOf(result, /best plan differs/)).toBe(1);
    expect(outside(result)).toHaveLength(2);
    expect(figureOf(result, /2048 tokens in/)).toBeGreaterThan(1);
    expect(result.notes[0]).toContain('1 x tp8 colocated');
  });

  it('Megatron-LM: bubbles are (p - 1) / m, and stages make nothing faster', () => {
    expect(outside(run(megatronLm))).toEqual([]);
  });
});
