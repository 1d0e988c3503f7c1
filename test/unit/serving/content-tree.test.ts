import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../lib/random/random';
import { type ContentTree, contentTreeOf } from '../../../lib/serving/vllm-v1/content-tree';
import { contentOf } from './content-of';

/** The content of each shared block of a request. */
function contentsOf({ offsets, nodes, ends, nodeEnds }: ContentTree, id: number): string[] {
  const contents: string[] = [];
  for (let i = offsets[id] as number; i < (offsets[id + 1] as number); i++) {
    expect(ends[i]).toBeGreaterThan(contents.length);
    expect(ends[i]).toBeLessThanOrEqual(nodeEnds[nodes[i] as number] as number);
    while (contents.length < (ends[i] as number)) contents.push(`${nodes[i]} ${contents.length}`);
  }
  return contents;
}

/** Blocks at the start of both requests that are the same. */
function common(a: readonly number[], b: readonly number[], idsPerBlock: number): number {
  let same = 0;
  while (same < Math.min(a.length, b.length) && a[same] === b[same]) same++;
  return Math.floor(same / idsPerBlock);
}

describe('content tree', () => {
  it('has what two requests begin with under the same names, and nothing that one alone has', () => {
    const request = fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 14 });
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 3 }),
        (requests, size) => {
          const tree = contentTreeOf(contentOf(requests), requests.length, size);
          const all = requests.map((_, id) => contentsOf(tree, id));
          requests.forEach((ids, id) => {
            const shared = requests.map((other, i) => (i === id ? 0 : common(ids, other, size)));
            expect(all[id]).toHaveLength(Math.max(...shared));
            requests.forEach((_, other) => {
              if (other === id) return;
              const same = all[id]?.filter((content, i) => all[other]?.[i] === content);
              expect(same).toHaveLength(shared[other] as number);
            });
          });
          const numbers = new Set(tree.nodes);
          expect(numbers.size).toBe(tree.nodeCount);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('goes on when there are more nodes than there was room for', () => {
    const random = createRandom(5);
    const requests = Array.from({ length: 3000 }, () =>
      Array.from({ length: 10 }, () => Math.floor(random.uniform() * 3)),
    );
    const tree = contentTreeOf(contentOf(requests), requests.length, 1);
    expect(tree.nodeCount).toBeGreaterThan(1000);
    const byContent = new Map<string, string>();
    requests.forEach((ids, id) => {
      contentsOf(tree, id).forEach((content, i) => {
        const text = ids.slice(0, i + 1).join();
        expect(byContent.get(content) ?? text).toBe(text);
        byContent.set(content, text);
      });
    });
    expect(new Set(byContent.values()).size).toBe(byContent.size);
  });

  it('divides hashes of larger blocks', () => {
    const content = contentOf([[5, 6, 7], [5, 6], [5]], 8);
    const tree = contentTreeOf(content, 3, 4);
    const [first, second, third] = [0, 1, 2].map((id) => contentsOf(tree, id));
    expect(first).toEqual(second);
    expect(first).toHaveLength(4);
    expect(third).toEqual(first?.slice(0, 2));
    expect(() => contentTreeOf(content, 3, 3)).toThrow(
      /invalid blockTokens: 3 .*stand for 8 tokens/,
    );
  });

  it('is empty where nothing is known, and the same for every run of a workload', () => {
    expect(contentTreeOf(undefined, 3, 4).nodeCount).toBe(0);
    const content = contentOf([[1], [1]]);
    expect(contentTreeOf(content, 2, 1)).toBe(contentTreeOf(content, 2, 1));
    expect(contentTreeOf(content, 2, 2)).not.toBe(contentTreeOf(content, 2, 1));
  });
});
