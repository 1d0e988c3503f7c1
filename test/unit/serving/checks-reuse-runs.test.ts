import { describe, expect, test } from 'vitest';
import { reusesAnchors } from '../../../lib/serving/checks/kvcomm';
import { batchTtft, repairedSeconds } from '../../../lib/serving/checks/kvshare';
import { runCheck } from '../../../lib/serving/checks/run-check';
import { isWithin } from '../../../lib/serving/checks/types';

function figuresOf(check: string) {
  const steps = runCheck({ check, seed: 1 });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value.figures;
  }
}
const outside = (check: string) =>
  figuresOf(check)
    .filter((figure) => isWithin(figure) === false)
    .map(({ label }) => label);

describe('figures of checks against their bands', () => {
  test('FastSwitch and KVCOMM: all inside', () => {
    expect(outside('fastswitch')).toEqual([]);
    expect(outside('kvcomm')).toEqual([]);
  }, 180_000);

  test('Splitwise, Flover and SCBench: all inside', () => {
    for (const check of ['splitwise', 'flover', 'scbench']) expect(outside(check)).toEqual([]);
  }, 180_000);

  test('EPD: the first token comes later than claimed, since encoding is half of the work here', () => {
    const labels = outside('epd');
    expect(labels).toHaveLength(2);
    expect(labels.filter((each) => each.startsWith('mean TTFT'))).toHaveLength(2);
  }, 180_000);

  test('JITServe: far above orders that do not know lengths, near shortest first, which does', () => {
    const figures = figuresOf('jitserve');
    const against = figures.filter(({ label }) => label.includes('best of the others'));
    expect(against).toHaveLength(3);
    for (const figure of against) {
      expect(figure.value).toBeGreaterThan(0.95);
      expect(isWithin(figure)).toBe(false);
    }
    for (const figure of figures.filter(({ label }) => label.startsWith('goodput lost')))
      expect(isWithin(figure)).toBe(true);
    const fcfs = figures.find(({ label }) => label.includes('JITServe against FCFS, 1.2'));
    expect(fcfs?.value).toBeGreaterThan(0.8);
  }, 180_000);

  test('SAGA: rules of eviction in the order that is claimed', () => {
    const values = figuresOf('saga')
      .slice(0, 3)
      .map(({ value }) => value);
    expect(values.toSorted((a, b) => b - a)).toEqual(values);
    expect(values[2]).toBeLessThan(1.75);
  }, 400_000);

  test('KVShare: hardly anything while no queue stands, most where all come at once', () => {
    const values = figuresOf('kvshare')
      .slice(0, 3)
      .map(({ value }) => value);
    expect(values.toSorted((a, b) => a - b)).toEqual(values);
    expect(values[0]).toBeLessThan(25);
  }, 180_000);
});

describe('KVShare: batches by an order', () => {
  const prompt = (arrivalSeconds: number, hitShare: number) => ({
    arrivalSeconds,
    hitShare,
    prefillSeconds: 1 - hitShare,
  });

  test('a batch ends as one, and the next begins with what waits', () => {
    const prompts = [prompt(0, 0), prompt(0.5, 0.2), prompt(0.6, 0.8)];
    const byArrival = batchTtft(prompts, 1, ({ arrivalSeconds }) => arrivalSeconds);
    expect(Array.from(byArrival)).toEqual([1, 1.3, 1.4].map((each) => expect.closeTo(each, 12)));
    const byHits = batchTtft(prompts, 1, ({ hitShare }) => -hitShare);
    expect(Array.from(byHits)).toEqual([1, 1.5, 0.6].map((each) => expect.closeTo(each, 12)));
    const together = batchTtft(prompts, 2, ({ hitShare }) => -hitShare);
    expect(Array.from(together)).toEqual([1, 1.5, 1.4].map((each) => expect.closeTo(each, 12)));
  });

  test('what is found costs its repair', () => {
    expect(repairedSeconds(1) / repairedSeconds(0)).toBeCloseTo(0.2, 12);
  });
});

describe('KVCOMM: whether anchors are reused', () => {
  test('not with fewer than two, nor with two that are equally near', () => {
    expect(reusesAnchors([0], 0.3)).toBe(false);
    expect(reusesAnchors([1, 1], 0.3)).toBe(false);
    expect(reusesAnchors([1, 1], 1)).toBe(true);
    expect(reusesAnchors([0, 9, 9], 0.3)).toBe(true);
  });
});
