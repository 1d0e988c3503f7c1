import type { AttentionResult, BlockList } from '../../attention/types';

/** How the outlined blocks of a map are called. */
export interface BlockWords {
  readonly button: string;
  readonly full: string;
  readonly partial: string;
  readonly skipped: string;
  /** What the outlines are of: `engine` computed the map, and `of` names the operand of a difference, or is empty. */
  text(engine: AttentionResult['engine'] | undefined, list: BlockList, of: string): string;
  readonly tableName: string;
  tableText(list: BlockList): string;
  readonly rows: string;
  /** Headers: the row, its queries, full, partial and skipped ones, and which they are. */
  readonly columns: readonly [string, string, string, string, string, string];
}

function tileText({ blockQueries, blockKeys }: BlockList): string {
  return `${blockQueries} queries x ${blockKeys} keys`;
}

/** Key blocks that an attention kernel visits. */
export const KERNEL_BLOCKS: BlockWords = {
  button: 'Blocks',
  full: 'full block',
  partial: 'partial block, masked by element',
  skipped: 'skipped',
  text(engine, list, of) {
    // The CPU reference goes by elements; its list is only counted.
    const what =
      engine === 'cpu'
        ? `as a kernel with blocks of ${tileText(list)} would`
        : `visited: blocks of ${tileText(list)}`;
    return of === '' ? what : `${what}, of ${of}`;
  },
  tableName: 'visited blocks',
  tableText: (list) => `visited blocks of ${tileText(list)}`,
  rows: 'query blocks',
  columns: ['query block', 'queries', 'full', 'partial', 'skipped', 'key blocks'],
};

/** Slots that a cache policy lets every query see. */
export const SEEN_SLOTS: BlockWords = {
  button: 'Slots',
  full: 'kept as it was',
  partial: 'kept in another form: merged, quantised, projected or offloaded',
  skipped: 'dropped, or comes later in the text',
  text: () => 'what the policy let every query see, token by token',
  tableName: 'slots that every query saw',
  tableText: () => 'pairs of a query and a token that it could see',
  rows: 'queries',
  columns: ['query', 'token', 'kept', 'changed', 'not seen', 'tokens seen'],
};
