import type { AttentionResult, BlockList } from '../../attention/types';

/** What the outlines of blocks are of; `of` names the operand of a difference, or is empty. */
export function blocksText(
  engine: AttentionResult['engine'],
  { blockQueries, blockKeys }: BlockList,
  of: string,
): string {
  const tile = `${blockQueries} queries x ${blockKeys} keys`;
  // The CPU reference goes by elements; its list is only counted.
  const what =
    engine === 'cpu' ? `as a kernel with blocks of ${tile} would` : `visited: blocks of ${tile}`;
  return of === '' ? what : `${what}, of ${of}`;
}
