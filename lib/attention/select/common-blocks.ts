import type { HeadGeometry, Selection } from './types';

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/**
 * Selections of heads that chose differently, in blocks of one size, which divides those of all; as
 * they are where they agree. The keys that they keep stay the same.
 *
 * @param geometry of every head
 */
export function withCommonBlocks(
  { queries, keys }: Pick<HeadGeometry, 'queries' | 'keys'>,
  selections: readonly Selection[],
): readonly Selection[] {
  const blockQueries = selections.reduce((size, each) => divisor(size, each.blockQueries), 0);
  const blockKeys = selections.reduce((size, each) => divisor(size, each.blockKeys), 0);
  const queryBlocks = Math.ceil(queries / blockQueries);
  const keyBlocks = Math.ceil(keys / blockKeys);
  return selections.map((selection) => {
    const perQuery = selection.blockQueries / blockQueries;
    const perKey = selection.blockKeys / blockKeys;
    if (perQuery === 1 && perKey === 1) return selection;
    const offsets = new Uint32Array(queryBlocks + 1);
    const blocks: number[] = [];
    for (let i = 0; i < queryBlocks; i++) {
      const row = Math.floor(i / perQuery);
      const kept = selection.blocks.subarray(selection.offsets[row], selection.offsets[row + 1]);
      for (const block of kept) {
        // The last block may be ragged.
        const end = Math.min(keyBlocks, (block + 1) * perKey);
        for (let part = block * perKey; part < end; part++) blocks.push(part);
      }
      offsets[i + 1] = blocks.length;
    }
    const size = { blockQueries, blockKeys, queryBlocks, keyBlocks };
    return { ...selection, ...size, offsets, blocks: Uint32Array.from(blocks) };
  });
}
