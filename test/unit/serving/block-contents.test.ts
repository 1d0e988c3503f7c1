import { describe, expect, it } from 'vitest';
import { createBlockContents } from '../../../lib/serving/vllm-v1/block-contents';
import { contentOf } from './content-of';

describe('block contents', () => {
  it('are equal for equal prefixes and for nothing else', () => {
    const contents = createBlockContents(
      contentOf([
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4],
        [9, 9, 3, 4],
      ]),
      Int32Array.of(9, 9, 9),
      2,
    );
    const all = [0, 1, 2].map((id) => [0, 1, 2].map((index) => contents.contentOf(id, index)));
    expect(all[0]?.slice(0, 2)).toEqual(all[1]?.slice(0, 2));
    // The same tokens behind other ones are another content.
    expect(all[2]?.[1]).not.toBe(all[0]?.[1]);
    // The fifth token fills no block: what follows is each request's own.
    expect(new Set([all[0]?.[2], all[1]?.[2], all[2]?.[2]]).size).toBe(3);
    expect([0, 1, 2].map((id) => contents.sharedBlocks(id))).toEqual([2, 2, 2]);
  });

  it('divide hashes of larger blocks', () => {
    const content = contentOf([[5, 6], [5]], 8);
    const contents = createBlockContents(content, Int32Array.of(20, 20), 4);
    expect(contents.sharedBlocks(0)).toBe(4);
    expect(contents.contentOf(0, 1)).toBe(contents.contentOf(1, 1));
    expect(contents.contentOf(0, 2)).not.toBe(contents.contentOf(1, 2));
    expect(() => createBlockContents(content, Int32Array.of(20, 20), 3)).toThrow(
      /invalid blockTokens: 3 .*stand for 8 tokens/,
    );
  });
});
