import { describe, expect, it } from 'vitest';
import { expertLoads, layeredPrefill } from '../../../lib/serving/checks/layered-prefill';
import { nexus } from '../../../lib/serving/checks/nexus';
import { semiPdCheck } from '../../../lib/serving/checks/semi-pd';
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

/** Labels of the figures outside of their bands: their notes say why. */
const outside = ({ figures }: CheckResult): readonly string[] =>
  figures.filter((figure) => isWithin(figure) === false).map(({ label }) => label);

const figureOf = ({ figures }: CheckResult, label: RegExp): number =>
  figures.find((figure) => label.test(figure.label))?.value ?? Number.NaN;

describe('checks of what one accelerator does in an iteration', () => {
  it('counts the experts of prompts in the layers that see them', () => {
    expect(expertLoads(1, 0, 1)).toBeCloseTo(48 * 8, 9);
    expect(expertLoads(0, 100_000, 1)).toBeCloseTo(48 * 128, 6);
    expect(expertLoads(0, 100_000, 1 / 16)).toBeCloseTo(3 * 128, 6);
    expect(expertLoads(1, 100_000, 1 / 16)).toBeCloseTo(3 * 128 + 45 * 8, 6);
  });

  it('layered prefill reads fewer experts of long prompts, and gains more at their end than expected', () => {
    const result = run(layeredPrefill);
    expect(outside(result)).toEqual([
      'mean time to the end, long prompts at 1.6 /s',
      'mean time to the end, long prompts at 2.4 /s',
    ]);
    expect(figureOf(result, /to the end, long prompts at 2.4/)).toBeLessThan(0.6);
    // What it saves shrinks with the prompts.
    const [line] = result.series[1]?.lines ?? [];
    expect(line?.y.at(-1)).toBeLessThan(line?.y[0] as number);
  }, 120_000);

  it('semi-PD shares memory, and loses to chunks of the best size', () => {
    const result = run(semiPdCheck);
    expect(outside(result)).toEqual([
      'shares that follow against the best fixed, 90 % of the gaps of a request',
      'shares that follow against chunks of 1024, 90 % of the gaps of a request',
    ]);
    expect(figureOf(result, /best chunks, 90 %/)).toBeLessThan(1);
    expect(figureOf(result, /KV blocks/)).toBeGreaterThan(1.7);
  }, 240_000);

  it('Nexus shortens gaps, and the order alone shortens the wait', () => {
    const result = run(nexus);
    expect(outside(result)).toEqual([
      'mean time to first token near saturation, first come over shortest, both chunks of 2048',
    ]);
    expect(figureOf(result, /percentile of gaps at half/)).toBeGreaterThan(1);
    expect(figureOf(result, /first come over shortest/)).toBeGreaterThan(1);
  }, 240_000);
});
