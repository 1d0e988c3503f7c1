import { expect, test } from 'vitest';
import { createSubmitPace } from '../../../lib/gpu/submit-pace';

/** How much work is gathered before a submit is due, in steps of `flops`. */
function gathered(pace: ReturnType<typeof createSubmitPace>, flops: number): number {
  let total = flops;
  while (!pace.add(flops)) total += flops;
  return total;
}

test('a submit holds about 8 ms of the rate that was last measured', () => {
  const pace = createSubmitPace();
  pace.add(4e9);
  pace.measured(0.04);
  expect(gathered(pace, 1e7) / 1e11).toBeCloseTo(0.008, 3);
  pace.measured(0.16);
  // 0.8 GFLOP in 160 ms: another program took the device.
  expect(gathered(pace, 1e6) / 5e9).toBeCloseTo(0.008, 3);
});

test('a wait for little work does not make a device slow', () => {
  const pace = createSubmitPace();
  const before = gathered(pace, 1e5);
  pace.add(1000);
  pace.measured(0.003);
  expect(gathered(pace, 1e5)).toBeGreaterThanOrEqual(before);
});

test('work larger than a submit is one', () => {
  const pace = createSubmitPace();
  expect(pace.add(1e12)).toBe(true);
  expect(pace.add(1)).toBe(false);
});
