import type { PromptContent } from '../../../lib/workload/types';

/** Content of requests with these ids. */
export function contentOf(
  requests: readonly (readonly number[])[],
  tokensPerId = 1,
): PromptContent {
  const offsets = new Int32Array(requests.length + 1);
  requests.forEach((ids, i) => {
    offsets[i + 1] = (offsets[i] as number) + ids.length;
  });
  return { tokensPerId, offsets, ids: Int32Array.from(requests.flat()) };
}
