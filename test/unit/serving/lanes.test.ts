import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LaneTask, scheduleLanes } from '../../../lib/serving/lanes/list-schedule';
import { runPipeline } from '../../../lib/serving/lanes/pipeline';

const orders = fc.constantFrom('in-order', 'first-ready', 'most-unblocked');
const graphs = fc
  .array(
    fc.record({
      lane: fc.integer({ min: 0, max: 1 }),
      seconds: fc.integer({ min: 1, max: 9 }),
      from: fc.array(fc.nat(), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((rows) =>
    rows.map(
      ({ lane, seconds, from }, i): LaneTask => ({
        lane,
        seconds,
        // Only on tasks before it: no circle.
        after: i === 0 ? [] : [...new Set(from.map((at) => at % i))],
      }),
    ),
  );

describe('list scheduling of lanes', () => {
  test('keeps dependencies, one task a lane at a time, and both lower bounds', () => {
    fc.assert(
      fc.property(graphs, orders, (tasks, order) => {
        const { startSeconds, endSeconds, makespanSeconds, busySeconds } = scheduleLanes(
          tasks,
          2,
          order,
        );
        const longest = new Float64Array(tasks.length);
        for (const [i, { after, seconds, lane }] of tasks.entries()) {
          let ready = 0;
          for (const before of after) {
            expect(startSeconds[i]).toBeGreaterThanOrEqual(endSeconds[before] as number);
            ready = Math.max(ready, longest[before] as number);
          }
          longest[i] = ready + seconds;
          for (let j = 0; j < i; j++) {
            if (tasks[j]?.lane !== lane) continue;
            const isApart =
              (endSeconds[j] as number) <= (startSeconds[i] as number) ||
              (endSeconds[i] as number) <= (startSeconds[j] as number);
            expect(isApart).toBe(true);
          }
        }
        expect(makespanSeconds).toBeGreaterThanOrEqual(Math.max(...longest, ...busySeconds));
        expect(makespanSeconds).toBeLessThanOrEqual(
          tasks.reduce((sum, { seconds }) => sum + seconds, 0),
        );
      }),
    );
  });

  test('in order waits for the next task, and out of order fills the gap', () => {
    const tasks: LaneTask[] = [
      { lane: 1, seconds: 5, after: [] },
      { lane: 0, seconds: 1, after: [0] },
      { lane: 0, seconds: 4, after: [] },
    ];
    expect(scheduleLanes(tasks, 2, 'in-order').makespanSeconds).toBe(10);
    const filled = scheduleLanes(tasks, 2, 'first-ready');
    expect(filled.makespanSeconds).toBe(6);
    expect(filled.idleShare[0]).toBeCloseTo(1 / 6, 12);
  });

  test('the second lane takes what releases most of the first', () => {
    const tasks: LaneTask[] = [
      { lane: 1, seconds: 2, after: [] },
      { lane: 1, seconds: 2, after: [] },
      { lane: 0, seconds: 1, after: [0] },
      { lane: 0, seconds: 6, after: [1] },
    ];
    expect(scheduleLanes(tasks, 2, 'first-ready').makespanSeconds).toBe(10);
    expect(scheduleLanes(tasks, 2, 'most-unblocked').makespanSeconds).toBe(9);
  });

  test('a circle is named', () => {
    const tasks: LaneTask[] = [
      { lane: 0, seconds: 1, after: [1] },
      { lane: 0, seconds: 1, after: [0] },
    ];
    expect(() => scheduleLanes(tasks, 1, 'first-ready')).toThrow(/wait for each other in a circle/);
  });
});

describe('pipeline', () => {
  test('equal micro-batches leave only the ramp idle', () => {
    const left = [100, 100, 100, 100];
    const { makespanSeconds, bubbleShare } = runPipeline(4, (slot) =>
      (left[slot] as number)-- > 0 ? 1 : undefined,
    );
    expect(makespanSeconds).toBe(403);
    expect(bubbleShare).toBeCloseTo(3 / 403, 12);
  });

  test('unequal ones hold the stages up', () => {
    const left = [50, 50];
    const { bubbleShare } = runPipeline(2, (slot) =>
      (left[slot] as number)-- > 0 ? (slot === 0 ? 3 : 1) : undefined,
    );
    // The short one goes through beside one half of the long one and waits for the other: 4 of 6 and more.
    expect(bubbleShare).toBeGreaterThan(0.3);
    expect(bubbleShare).toBeLessThan(0.4);
  });
});
