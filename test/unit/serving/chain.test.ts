import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { createChain } from '../../../lib/serving/vllm-v1/chain';

describe('chains of ids', () => {
  it('give equal numbers to equal links behind equal parents, through every growth', () => {
    const random = createRandom(3);
    const length = 2;
    // Few distinct ids and 2,000 walks: links meet often, and there are more than the first places hold.
    const ids = Int32Array.from({ length: 2000 * 8 }, () => Math.floor(random.uniform() * 4));
    const chain = createChain(ids, length);
    const known = new Map<string, number>();
    for (let start = 0; start < ids.length; start += 8) {
      let parent = -1;
      for (let i = 0; i < 8; i += length) {
        const key = `${parent}:${ids.subarray(start + i, start + i + length).join()}`;
        const expected = known.get(key) ?? known.size;
        known.set(key, expected);
        parent = chain.linkAt(parent, start + i);
        expect(parent).toBe(expected);
      }
    }
    expect(known.size).toBeGreaterThan(1024);
    expect(known.size).toBeLessThan(8000);
  });
});
