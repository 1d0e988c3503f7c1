import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type MultimodalLayout,
  modalitiesOf,
  multimodalPositions,
} from '../../../lib/attention/position/multimodal';
import { applyRope, rerotate } from '../../../lib/attention/position/rope';
import { makeRope, splitAxes } from '../../../lib/attention/position/rope-frequencies';
import { distanceOf, positionsOf } from '../../../lib/attention/position/rules';
import { positionScores } from '../../../lib/attention/position/scores';
import { createRandom } from '../../../lib/random/random';

const layouts = fc.record<MultimodalLayout>({
  textTokens: fc.integer({ min: 0, max: 5 }),
  frames: fc.integer({ min: 1, max: 4 }),
  rows: fc.integer({ min: 1, max: 4 }),
  columns: fc.integer({ min: 1, max: 4 }),
  stepsPerFrame: fc.integer({ min: 1, max: 5 }),
  hasSound: fc.boolean(),
});

const SLOTS = 60;
const rowsOf = (positions: Float64Array) =>
  Array.from({ length: positions.length / 3 }, (_, i) => [...positions.subarray(3 * i, 3 * i + 3)]);

function normals(length: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length }, () => random.normal());
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, each, i) => Math.max(most, Math.abs(each - b[i]!)), 0);

describe('multimodal positions', () => {
  it('of a small stream, by hand', () => {
    const layout = {
      textTokens: 2,
      frames: 2,
      rows: 2,
      columns: 1,
      stepsPerFrame: 2,
      hasSound: true,
    };
    expect(rowsOf(multimodalPositions(layout, 11))).toEqual([
      [0, 0, 0],
      [1, 1, 1],
      [2, 2, 2],
      [2, 3, 2],
      [2, 2, 2],
      [3, 3, 3],
      [4, 2, 2],
      [4, 3, 2],
      [4, 4, 4],
      [5, 5, 5],
      // The largest number before was 5.
      [6, 6, 6],
    ]);
    expect(modalitiesOf(layout, 6)).toEqual(['text', 'text', 'frame', 'frame', 'sound', 'sound']);
  });

  it('are equal on all axes for text and sound, and one time for a frame', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const positions = rowsOf(multimodalPositions(layout, SLOTS));
        modalitiesOf(layout, SLOTS).forEach((modality, slot) => {
          const [time, height, width] = positions[slot]!;
          if (modality !== 'frame') expect([height, width]).toEqual([time, time]);
        });
      }),
    );
  });

  it('start a text above every number before it', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const positions = rowsOf(multimodalPositions(layout, SLOTS));
        const modalities = modalitiesOf(layout, SLOTS);
        let most = -1;
        modalities.forEach((modality, slot) => {
          if (modality === 'text') expect(positions[slot]![0]).toBe(most + 1);
          most = Math.max(most, ...positions[slot]!);
        });
      }),
    );
  });

  it('align a frame with its sound', () => {
    const layout = {
      textTokens: 1,
      frames: 3,
      rows: 2,
      columns: 2,
      stepsPerFrame: 4,
      hasSound: true,
    };
    const positions = rowsOf(multimodalPositions(layout, 1 + 3 * 8));
    for (let frame = 0; frame < 3; frame++) {
      const first = 1 + frame * 8;
      expect(positions[first + 4]![0]).toBe(positions[first]![0]);
    }
  });

  it('name a size that is out of range', () => {
    const layout = {
      textTokens: 0,
      frames: 0,
      rows: 1,
      columns: 1,
      stepsPerFrame: 1,
      hasSound: true,
    };
    expect(() => multimodalPositions(layout, 1)).toThrow(
      'invalid frames: 0 (expected an integer from 1)',
    );
  });
});

describe('RoPE in sections', () => {
  const plain = makeRope({ headSize: 16, base: 10_000, pairing: 'half-split' });

  it('gives every part consecutive pairs by its share', () => {
    const { axes } = splitAxes(plain, [2, 3, 3]);
    expect(axes).toEqual({ count: 3, ofPair: Uint8Array.from([0, 0, 1, 1, 1, 2, 2, 2]) });
    expect(() => splitAxes(plain, [2, 0, 3])).toThrow('invalid shares: 2, 0, 3');
  });

  it('with the same number on all axes is plain RoPE', () => {
    const rows = normals(5 * 16, 1);
    const at = [0, 3, 4, 10, 1000];
    const repeated = at.flatMap((each) => [each, each, each]);
    const split = applyRope(rows, repeated, splitAxes(plain, [1, 1, 1]));
    expect(largest(split, applyRope(rows, at, plain))).toBe(0);
  });

  it('makes scores depend on the difference of every axis alone', () => {
    const rope = splitAxes(plain, [2, 3, 3]);
    const [q, k] = [normals(16, 2), normals(16, 3)];
    const score = (a: number[], b: number[]) => {
      const key = applyRope(k, b, rope);
      return applyRope(q, a, rope).reduce((sum, each, i) => sum + each * key[i]!, 0);
    };
    const base = score([9, 5, 2], [3, 4, 1]);
    expect(score([109, 25, 42], [103, 24, 41])).toBeCloseTo(base, 10);
    for (const moved of [
      [10, 5, 2],
      [9, 6, 2],
      [9, 5, 3],
    ]) {
      expect(Math.abs(score(moved, [3, 4, 1]) - base)).toBeGreaterThan(1e-3);
    }
  });

  it('moves stored keys on all axes at once', () => {
    const rope = splitAxes(plain, [2, 3, 3]);
    const rows = normals(2 * 16, 4);
    const [from, to] = [
      [1, 2, 3, 9, 9, 9],
      [7, 0, 4, 2, 5, 1],
    ];
    const moved = rerotate(applyRope(rows, from, rope), from, to, rope);
    expect(largest(moved, applyRope(rows, to, rope))).toBeLessThan(1e-12);
  });
});

describe('the multimodal rule', () => {
  const rule = {
    type: 'multimodal',
    textTokens: 2,
    frames: 2,
    rows: 2,
    columns: 2,
    stepsPerFrame: 3,
    hasSound: false,
  } as const;

  it('gives queries and kept keys three parts, and distances in time', () => {
    const positions = positionsOf(rule, { queries: 2, keys: 10, keptSlots: [0, 5, 8, 9] });
    expect(positions.axes).toBe(3);
    expect([...positions.query]).toEqual([5, 3, 2, 5, 3, 3]);
    expect([...positions.key]).toEqual([0, 0, 0, 2, 3, 3, 5, 3, 2, 5, 3, 3]);
    expect(distanceOf(positions, 1, 1)).toBe(3);
  });

  it('scores a pair of frames by place as well as by time', () => {
    const rope = splitAxes(
      makeRope({ headSize: 12, base: 100, pairing: 'interleaved' }),
      [1, 1, 1],
    );
    const positions = positionsOf(rule, { queries: 10, keys: 10 });
    const row = normals(12, 5);
    const same = Float64Array.from({ length: 120 }, (_, i) => row[i % 12]!);
    const head = { headSize: 12, query: same, key: same };
    const scores = positionScores(head, positions, { type: 'rope', rope });
    const at = (q: number, k: number) => scores[q * 10 + k]!;
    // Equal steps on every axis give equal scores, whichever frame they are in.
    expect(at(3, 2)).toBeCloseTo(at(7, 6), 12);
    expect(Math.abs(at(3, 2) - at(4, 2))).toBeGreaterThan(1e-3);
  });
});
