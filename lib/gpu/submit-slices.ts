/** A rectangle of one dispatch: query blocks by rows of batch x heads. */
export interface SubmitSlice {
  readonly blockStart: number;
  readonly blocks: number;
  readonly headStart: number;
  readonly heads: number;
  /** Estimated time on the device. */
  readonly seconds: number;
}

/**
 * Cuts a grid of query blocks x heads into slices of about `targetSeconds`, so that an operating
 * system's watchdog stays away and a cancel is quick. `blockSeconds[i]` is the estimate for block
 * i of one head. A slice has at least `minimumGroups` blocks where there are as many, because a
 * processor with nothing to do is worse than a slice that is too long.
 */
export function submitSlices(
  blockSeconds: ArrayLike<number>,
  heads: number,
  targetSeconds: number,
  minimumGroups: number,
): SubmitSlice[] {
  let longest = 0;
  for (let i = 0; i < blockSeconds.length; i++) longest = Math.max(longest, blockSeconds[i]!);
  const affordable = longest > 0 ? Math.floor(targetSeconds / longest) : heads;
  const headsPerSlice = Math.min(heads, Math.max(minimumGroups, affordable, 1));
  const slices: SubmitSlice[] = [];
  for (let headStart = 0; headStart < heads; headStart += headsPerSlice) {
    const sliceHeads = Math.min(headsPerSlice, heads - headStart);
    let blockStart = 0;
    while (blockStart < blockSeconds.length) {
      let blocks = 1;
      let seconds = blockSeconds[blockStart]! * sliceHeads;
      while (blockStart + blocks < blockSeconds.length) {
        const next = blockSeconds[blockStart + blocks]! * sliceHeads;
        const isTooFew = blocks * sliceHeads < minimumGroups;
        if (seconds + next > targetSeconds && !isTooFew) break;
        seconds += next;
        blocks++;
      }
      slices.push({ blockStart, blocks, headStart, heads: sliceHeads, seconds });
      blockStart += blocks;
    }
  }
  return slices;
}
