import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimelineLane } from '../../../lib/serving/types';
import { argMaxTree } from '../../../lib/views/timeline/arg-max-tree';
import {
  aggregateLane,
  indexLane,
  iterationAt,
  maxPerPixel,
  pixelEdges,
  prefillShare,
  queryLane,
  underPixel,
} from '../../../lib/views/timeline/lane-index';
import { clampSpan, panSpan, zoomSpan } from '../../../lib/views/timeline/span';

const lanes: fc.Arbitrary<TimelineLane> = fc
  .array(
    fc.record({
      gap: fc.double({ min: 0, max: 1, noNaN: true }),
      duration: fc.double({ min: 0.01, max: 1, noNaN: true }),
      prefill: fc.integer({ min: 0, max: 9 }),
      decode: fc.integer({ min: 0, max: 9 }),
      queue: fc.integer({ min: 0, max: 50 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((steps) => {
    let now = 0;
    const starts = steps.map(({ gap, duration }) => {
      const start = now + gap;
      now = start + duration;
      return start;
    });
    return {
      id: 'x',
      label: 'x',
      role: 'mixed',
      startSeconds: Float64Array.from(starts),
      durationSeconds: Float64Array.from(steps, (step) => step.duration),
      prefillTokens: Int32Array.from(steps, (step) => step.prefill),
      decodeTokens: Int32Array.from(steps, (step) => step.decode),
      batchSize: Int32Array.from(steps, () => 1),
      queueLength: Int32Array.from(steps, (step) => step.queue),
      kvBlocksUsed: Int32Array.from(steps, (step) => step.queue),
      kvBlocksTotal: 100,
    };
  });

/** Busy seconds of a span, and those of prefill, one iteration at a time. */
function bruteForce(lane: TimelineLane, from: number, to: number) {
  let busy = 0;
  let prefill = 0;
  lane.startSeconds.forEach((start, i) => {
    const overlap = Math.max(
      0,
      Math.min(to, start + (lane.durationSeconds[i] as number)) - Math.max(from, start),
    );
    busy += overlap;
    prefill += overlap * prefillShare(lane, i);
  });
  return { busy, prefill };
}

describe('lane index', () => {
  it('gives the exact busy fraction and prefill share of every pixel', () => {
    fc.assert(
      fc.property(
        lanes,
        fc.double({ min: -1, max: 20, noNaN: true }),
        fc.double({ min: 0.05, max: 30, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        (lane, start, length, pixels) => {
          const { busy, prefillShare: share } = queryLane(
            indexLane(lane),
            start,
            start + length,
            pixels,
          );
          for (let x = 0; x < pixels; x++) {
            const from = start + (x * length) / pixels;
            const expected = bruteForce(lane, from, from + length / pixels);
            expect(busy[x]).toBeCloseTo(expected.busy / (length / pixels), 4);
            if (expected.busy > 1e-4)
              expect(share[x]).toBeCloseTo(expected.prefill / expected.busy, 3);
          }
        },
      ),
    );
  });

  it('aggregates a span as a loop would', () => {
    fc.assert(
      fc.property(
        lanes,
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        (lane, start, length) => {
          const end = start + length;
          const sum = aggregateLane(indexLane(lane), start, end);
          const inside = [...lane.startSeconds.keys()].filter(
            (i) =>
              (lane.startSeconds[i] as number) >= start && (lane.startSeconds[i] as number) < end,
          );
          const total = (column: Int32Array) =>
            inside.reduce((n, i) => n + (column[i] as number), 0);
          expect(sum.iterations).toBe(inside.length);
          expect(sum.prefillTokens).toBe(total(lane.prefillTokens));
          expect(sum.decodeTokens).toBe(total(lane.decodeTokens));
          expect(sum.maxQueue).toBe(
            Math.max(0, ...inside.map((i) => lane.queueLength[i] as number)),
          );
          const longest = Math.max(...inside.map((i) => lane.durationSeconds[i] as number));
          if (inside.length > 0) expect(sum.longestSeconds).toBe(longest);
          if (inside.length > 0) expect(sum.meanBatch).toBeCloseTo(1, 9);
          if (length > 1e-3)
            expect(sum.busyFraction).toBeCloseTo(bruteForce(lane, start, end).busy / length, 6);
        },
      ),
    );
  });

  it('finds the iteration under an instant, and idle time', () => {
    fc.assert(
      fc.property(lanes, fc.double({ min: -1, max: 40, noNaN: true }), (lane, seconds) => {
        const expected = lane.startSeconds.findIndex(
          (start, i) => start <= seconds && seconds < start + (lane.durationSeconds[i] as number),
        );
        expect(iterationAt(indexLane(lane), seconds)).toBe(expected);
      }),
    );
  });

  it('keeps the spikes of a counter', () => {
    fc.assert(
      fc.property(lanes, (lane) => {
        const end = (lane.startSeconds.at(-1) as number) + 1;
        const index = indexLane(lane);
        const edges = pixelEdges(index, 0, end, 7);
        const pixels = maxPerPixel(index, lane.queueLength, index.fullestQueue, edges);
        expect(Math.max(...pixels)).toBe(Math.max(...lane.queueLength));
      }),
    );
  });
});

describe('tree of largest values', () => {
  it('finds the first of the largest of any range', () => {
    const columns = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 0, maxLength: 900 });
    fc.assert(
      fc.property(columns, fc.nat(900), fc.nat(900), (values, a, b) => {
        const from = Math.min(a, b, values.length);
        const to = Math.min(Math.max(a, b), values.length);
        const tree = argMaxTree(Int32Array.from(values), values.length);
        const range = values.slice(from, to);
        const expected = range.length === 0 ? -1 : from + range.indexOf(Math.max(...range));
        expect(tree.at(from, to)).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('tells what lies under a pixel', () => {
    fc.assert(
      fc.property(lanes, fc.double({ min: 0, max: 20, noNaN: true }), (lane, start) => {
        const { count, longest } = underPixel(indexLane(lane), start, start + 0.5);
        const touching = [...lane.startSeconds.keys()].filter((i) => {
          const from = lane.startSeconds[i] as number;
          const to = from + (lane.durationSeconds[i] as number);
          return from < start + 0.5 && (from >= start || to > start);
        });
        expect(count).toBe(touching.length);
        if (count > 0) expect(touching).toContain(longest);
      }),
    );
  });
});

describe('span', () => {
  const whole = { start: 0, end: 100 };
  const spans = fc
    .tuple(
      fc.double({ min: -50, max: 150, noNaN: true }),
      fc.double({ min: 0, max: 200, noNaN: true }),
    )
    .map(([start, length]) => clampSpan({ start, end: start + length }, whole));
  it('stays inside the run and keeps the instant under the pointer', () => {
    fc.assert(
      fc.property(
        spans,
        fc.double({ min: 0.2, max: 5, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (span, factor, at) => {
          const instant = span.start + at * (span.end - span.start);
          const next = zoomSpan(span, factor, instant, whole);
          for (const part of [next, panSpan(span, factor * 40 - 80, whole)]) {
            expect(part.start).toBeGreaterThanOrEqual(0);
            expect(part.end).toBeLessThanOrEqual(100 + 1e-9);
          }
          const isClamped =
            next.start <= 1e-9 || next.end >= 100 - 1e-9 || next.end - next.start <= 1.1e-4;
          if (!isClamped)
            expect((instant - next.start) / (next.end - next.start)).toBeCloseTo(at, 6);
        },
      ),
    );
  });
});
