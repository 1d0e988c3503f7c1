import type { BlockContents } from '../vllm-v1/block-contents';

/**
 * For the oracle: the next request, in the order of arrival, that has a content in its prompt and has
 * not entered yet.
 *
 * @returns its place, or Infinity
 */
export function createFutureUse(
  contents: BlockContents,
  promptTokens: Int32Array,
  blockTokens: number,
  hasEntered: (id: number) => boolean,
): (content: number) => number {
  const users = new Map<number, number[]>();
  for (let id = 0; id < promptTokens.length; id++) {
    const blocks = Math.floor(((promptTokens[id] as number) - 1) / blockTokens);
    for (let i = 0; i < Math.min(blocks, contents.sharedBlocks(id)); i++) {
      const content = contents.contentOf(id, i);
      const known = users.get(content);
      if (known === undefined) users.set(content, [id]);
      else known.push(id);
    }
  }
  // The next one is at the end.
  for (const ids of users.values()) ids.reverse();
  return (content) => {
    const ids = users.get(content);
    while (ids !== undefined && ids.length > 0 && hasEntered(ids[ids.length - 1] as number))
      ids.pop();
    return ids?.at(-1) ?? Infinity;
  };
}
