/**
 * Shares the query blocks 0 .. totalBlocks - 1 among `parts` workers, there and back again: part p
 * takes p, 2 parts - 1 - p, 2 parts + p and so on. Causal rows cost more the later they are, and
 * every pair of rounds then costs each part the same.
 *
 * @returns per part its query blocks, ascending; parts beyond the blocks are empty
 */
export function splitRows(totalBlocks: number, parts: number): readonly Uint32Array[] {
  if (!Number.isInteger(totalBlocks) || totalBlocks < 0) {
    throw new Error(`invalid totalBlocks: ${totalBlocks} (expected an integer from 0)`);
  }
  if (!Number.isInteger(parts) || parts < 1) {
    throw new Error(`invalid parts: ${parts} (expected an integer from 1)`);
  }
  return Array.from({ length: parts }, (_, part) => {
    const mine: number[] = [];
    for (let round = 0; round * parts < totalBlocks; round++) {
      const block = round * parts + (round % 2 === 0 ? part : parts - 1 - part);
      if (block < totalBlocks) mine.push(block);
    }
    return Uint32Array.from(mine);
  });
}
