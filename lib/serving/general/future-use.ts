import type { BlockContents } from '../vllm-v1/block-contents';

/** Requests after the next one that are looked at for the earliest. */
const LOOKED_AT = 8;
/** Later than any time that is known. */
const SOME_TIME = 1e12;

/**
 * For the oracle: the next request, in the order of arrival, that has a content in its prompt and has
 * not entered yet. Requests of programs come when others have ended: then the time at which it will be
 * sent, which is known once those before it are complete.
 *
 * @param sendSeconds of programs, NaN while unknown
 * @returns its place or its time, or Infinity for none
 */
export function createFutureUse(
  contents: BlockContents,
  promptTokens: Int32Array,
  blockTokens: number,
  hasEntered: (id: number) => boolean,
  sendSeconds?: Float64Array,
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
    if (sendSeconds === undefined || ids === undefined || ids.length === 0)
      return ids?.at(-1) ?? Infinity;
    let first = Infinity;
    for (const id of ids.slice(-LOOKED_AT)) {
      if (hasEntered(id)) continue;
      const at = sendSeconds[id] as number;
      first = Math.min(first, Number.isNaN(at) ? SOME_TIME + id : at);
    }
    return first;
  };
}
