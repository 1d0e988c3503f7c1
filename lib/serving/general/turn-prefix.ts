import type { Workload } from '../../workload/types';

/** Tokens with which two requests begin alike, as far as their contents are known; 0 where they are not. */
export function commonPrefixTokens({ content }: Workload, a: number, b: number): number {
  if (content === undefined) return 0;
  const { offsets, ids, tokensPerId } = content;
  const startA = offsets[a] as number;
  const startB = offsets[b] as number;
  const most = Math.min((offsets[a + 1] as number) - startA, (offsets[b + 1] as number) - startB);
  let same = 0;
  while (same < most && ids[startA + same] === ids[startB + same]) same++;
  return same * tokensPerId;
}
