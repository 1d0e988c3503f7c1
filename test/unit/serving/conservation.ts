import { expect } from 'vitest';
import { computes } from '../../../lib/serving/lane-roles';
import type { ServeResult, TimelineLane } from '../../../lib/serving/types';

/** The laws that hold for every strategy, workload and memory, once everything has run. */
export function expectConservation(result: ServeResult, kvBlocks: number): void {
  const { requests, lanes, metrics } = result;
  const n = requests.arrivalSeconds.length;
  expect(metrics.completed + metrics.refused).toBe(n);
  expect(metrics.unfinished).toBe(0);
  let emitted = 0;
  for (let i = 0; i < n; i++) {
    if (requests.refused[i] === 1) {
      expect(requests.completedSeconds[i]).toBeNaN();
      continue;
    }
    const times = [
      requests.arrivalSeconds[i],
      requests.firstScheduledSeconds[i],
      requests.firstTokenSeconds[i],
      requests.completedSeconds[i],
    ] as number[];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    emitted += requests.outputTokens[i] as number;
  }
  // Every output token after a request's first is one gap.
  expect(metrics.tbtSeconds.count).toBe(emitted - metrics.completed);
  for (const lane of lanes) expectLane(lane, kvBlocks);
  const sum = (key: 'prefillTokens' | 'decodeTokens') =>
    lanes.filter(computes).reduce((total, lane) => total + lane[key].reduce((a, b) => a + b, 0), 0);
  const prompts = requests.promptTokens.reduce(
    (a, b, i) => a + (requests.refused[i] === 1 ? 0 : b),
    0,
  );
  if (metrics.restarts > 0) {
    // What is computed again comes on top, and its re-prefill emits a token of its own.
    expect(sum('prefillTokens')).toBeGreaterThanOrEqual(prompts);
    expect(sum('decodeTokens')).toBeLessThanOrEqual(emitted - metrics.completed);
    return;
  }
  expect(sum('prefillTokens')).toBe(prompts);
  expect(sum('decodeTokens')).toBe(emitted - metrics.completed);
}

function expectLane(lane: TimelineLane, kvBlocks: number): void {
  for (let i = 0; i < lane.startSeconds.length; i++) {
    const start = lane.startSeconds[i] as number;
    expect(lane.durationSeconds[i]).toBeGreaterThanOrEqual(lane.role === 'link' ? 0 : 1e-9);
    if (i > 0) {
      const end = (lane.startSeconds[i - 1] as number) + (lane.durationSeconds[i - 1] as number);
      expect(start).toBeGreaterThanOrEqual(end - 1e-9);
    }
    if (!computes(lane)) continue;
    expect(lane.kvBlocksUsed[i]).toBeLessThanOrEqual(kvBlocks);
    expect(lane.kvBlocksUsed[i]).toBeGreaterThan(0);
  }
}
