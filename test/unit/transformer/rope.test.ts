import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { makeRotate, ropeOf, rotateInto } from '../../../lib/transformer/rope';
import { configOf } from '../../transformer/random-model';

const YARN = { type: 'yarn', factor: 4, originalTokens: 64, betaFast: 32, betaSlow: 1 } as const;
// Bases of their own, so that no test reads what another has put into the tables.
const plain = ropeOf(configOf({ headSize: 8, ropeTheta: 20_000 }));
const stretched = ropeOf(configOf({ headSize: 6, ropeScaling: YARN, ropeTheta: 30_000 }));
/** Beyond what a table of 16 MiB holds at these head sizes. */
const FAR = 10_000_000;

function computed(x: Float32Array, index: number, rope: typeof plain): Float32Array {
  const half = rope.headSize / 2;
  const out = new Float32Array(rope.headSize);
  for (let pair = 0; pair < half; pair++) {
    const angle = index * rope.frequencies[pair]!;
    const cosine = rope.attentionFactor * Math.cos(angle);
    const sine = rope.attentionFactor * Math.sin(angle);
    out[pair] = x[pair]! * cosine - x[pair + half]! * sine;
    out[pair + half] = x[pair]! * sine + x[pair + half]! * cosine;
  }
  return out;
}

describe.each([
  ['plain', plain],
  ['stretched', stretched],
] as const)('rotation by a %s encoding', (_, rope) => {
  const random = createRandom(4);
  const x = Float32Array.from({ length: rope.headSize }, () => random.normal());

  it.each([0, 1, 63, 64, 1000, 5, -3, 2.5, FAR])(
    'by %d is the computed one, bit by bit',
    (index) => {
      const out = new Float32Array(rope.headSize + 3);
      rotateInto(x, 0, index, rope, out, 3);
      expect(out.subarray(3)).toEqual(computed(x, index, rope));
      expect([...out.subarray(0, 3)]).toEqual([0, 0, 0]);
    },
  );

  it('reads and writes one place', () => {
    const inPlace = x.slice();
    makeRotate(rope)(inPlace, 0, 9, inPlace, 0);
    expect(inPlace).toEqual(computed(x, 9, rope));
  });
});
