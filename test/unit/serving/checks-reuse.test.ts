import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  lruSaving,
  oneLevelSaving,
  type PrefixNode,
  topLevelSaving,
} from '../../../lib/serving/checks/batchllm';
import { blendSeconds, hiddenRecompute } from '../../../lib/serving/checks/cacheblend';

const nodes = (children: fc.Arbitrary<readonly PrefixNode[]>): fc.Arbitrary<PrefixNode> =>
  fc.record({ tokens: fc.integer({ min: 0, max: 20 }), children });
const ends = nodes(fc.constant([]));
const branches = nodes(fc.array(ends, { maxLength: 3 }));
const tries = nodes(fc.array(nodes(fc.array(branches, { maxLength: 2 })), { maxLength: 3 }));

const leaves = ({ children }: PrefixNode): number =>
  children.length === 0 ? 1 : children.reduce((sum, child) => sum + leaves(child), 0);

/** Every cut of the trie, one after another: the most that any of them saves. */
function bruteForce(node: PrefixNode, above: number): number[] {
  const depth = above + node.tokens;
  const together = (leaves(node) - 1) * depth;
  const apart = node.children.reduce<number[]>(
    (sums, child) => {
      const each = bruteForce(child, depth);
      return sums.flatMap((sum) => each.map((saved) => sum + saved));
    },
    [0],
  );
  return [together, ...apart];
}

describe('BatchLLM: one level of sharing', () => {
  test('the walk from the leaves finds the best of all cuts', () => {
    fc.assert(
      fc.property(tries, (node) => {
        const all = bruteForce(node, 0);
        fc.pre(all.length < 20_000);
        expect(oneLevelSaving(node)).toBe(Math.max(...all));
      }),
      { numRuns: 200 },
    );
  });

  test('is at least the first level alone', () => {
    fc.assert(
      fc.property(tries, (node) => {
        expect(oneLevelSaving({ ...node, tokens: 0 })).toBeGreaterThanOrEqual(
          topLevelSaving({ ...node, tokens: 0 }),
        );
      }),
    );
  });

  test('a cache for one group saves all but its first prefix when groups come together', () => {
    const load = { groups: 3, share: 4, prefixTokens: 100, ownTokens: 10 };
    const order = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2];
    expect(lruSaving(order, load, 220)).toBeCloseTo((3 * 3 * 100) / (12 * 110), 12);
    // In turn, with room for one prefix only, nothing is ever found.
    expect(lruSaving([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], load, 150)).toBe(0);
  });
});

describe('CacheBlend: layers in a pipeline', () => {
  const reuse = { layers: 16, computeSeconds: 1, loadSeconds: 0, recompute: 1, fresh: 0.1 };

  test('computing everything again costs the whole prefill', () => {
    expect(blendSeconds(reuse)).toBeCloseTo(16, 12);
  });

  test('never ends before the last layer is loaded, nor before its work is done', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (loadSeconds, recompute) => {
          const seconds = blendSeconds({ ...reuse, loadSeconds, recompute });
          const share = 0.1 + 0.9 * recompute;
          expect(seconds).toBeGreaterThanOrEqual(16 * loadSeconds + share - 1e-9);
          expect(seconds).toBeGreaterThanOrEqual(1 + 15 * share - 1e-9);
        },
      ),
    );
  });

  test('the share that hides is free', () => {
    const hidden = hiddenRecompute(0.5, 0.1);
    const at = (recompute: number) => blendSeconds({ ...reuse, loadSeconds: 0.5, recompute });
    // All but the last layer hide; that one has nothing left to wait for.
    expect(at(hidden) - at(0.15)).toBeLessThanOrEqual(0.9 * (hidden - 0.15) + 1 + 1e-9);
    expect(at(Math.min(1, hidden + 0.2))).toBeGreaterThan(at(hidden) + 1);
    expect(hiddenRecompute(0.01, 0.1)).toBe(0.15);
    expect(hiddenRecompute(9, 0.1)).toBe(1);
  });
});
