import { createRandom } from '../../random/random';

/** What the pages of a pool hold. */
export interface PageTable {
  readonly pageTokens: number;
  /** Tokens of every sequence, [batch]. */
  readonly lengths: Uint32Array;
  readonly pagesPerSequence: number;
  /** Pool page of every pageTokens tokens, [batch, pagesPerSequence]; 0 past a length, and not read. */
  readonly blockTable: Uint32Array;
  /** Tokens in every page of the pool, [pages]; 0 for a free one. */
  readonly pageUse: Uint32Array;
  /** Sequences whose block table names the page, [pages]. */
  readonly pageOwners: Uint32Array;
}

/** One free page beside every so many used ones: a pool is seldom full. */
const USED_PER_FREE = 8;

/**
 * Hands the pages of a pool to sequences, in the order of a seeded permutation, as pools look after
 * a while. Whole pages of the prefix that all sequences begin with are named by every block table
 * and held once (prefix sharing; Kwon et al. 2023, section 4.4); a page that the prefix fills in part
 * is copied for each sequence, for they write their own tokens after it.
 *
 * @param lengths [batch], each at least `sharedPrefixTokens`
 */
export function allocatePages(
  lengths: Uint32Array,
  pageTokens: number,
  sharedPrefixTokens: number,
  seed: number,
): PageTable {
  const isShared = lengths.length > 1;
  const sharedPages = isShared ? Math.floor(sharedPrefixTokens / pageTokens) : 0;
  const pagesOf = (tokens: number) => Math.ceil(tokens / pageTokens);
  const own = lengths.reduce((sum, tokens) => sum + pagesOf(tokens) - sharedPages, 0);
  const used = own + sharedPages;
  const pages = used + Math.ceil(used / USED_PER_FREE);
  const order = Uint32Array.from({ length: pages }, (_, i) => i);
  const random = createRandom(seed).fork('pages');
  for (let i = pages - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const pagesPerSequence = lengths.reduce((most, tokens) => Math.max(most, pagesOf(tokens)), 1);
  const blockTable = new Uint32Array(lengths.length * pagesPerSequence);
  const pageUse = new Uint32Array(pages);
  const pageOwners = new Uint32Array(pages);
  let next = sharedPages;
  lengths.forEach((tokens, b) => {
    for (let i = 0; i < pagesOf(tokens); i++) {
      const page = order[i < sharedPages ? i : next++]!;
      blockTable[b * pagesPerSequence + i] = page;
      pageUse[page] = Math.min(pageTokens, tokens - i * pageTokens);
      pageOwners[page]!++;
    }
  });
  return { pageTokens, lengths, pagesPerSequence, blockTable, pageUse, pageOwners };
}

export interface PageSummary {
  readonly pages: number;
  readonly usedPages: number;
  /** Pages that several sequences name. */
  readonly sharedPages: number;
  /** Used pages that are not full. */
  readonly partialPages: number;
  /** Empty places in used pages over all places in used pages. */
  readonly internalFragmentation: number;
  /** K and V in used pages, empty places included. */
  readonly pageBytes: number;
  /** Block table and lengths, 4 bytes each. */
  readonly tableBytes: number;
  /** What the shared pages would take again if every sequence had its own. */
  readonly savedBytes: number;
  /** What a stretch of the longest length for every sequence takes. */
  readonly reservedBytes: number;
}

/** @param bytesPerToken K and V of one token, all KV heads */
export function summarisePages(table: PageTable, bytesPerToken: number): PageSummary {
  const { pageTokens, pageUse, pageOwners, lengths, blockTable } = table;
  const used = pageUse.filter((tokens) => tokens > 0);
  const tokens = used.reduce((sum, each) => sum + each, 0);
  const repeats = pageOwners.reduce((sum, owners) => sum + Math.max(0, owners - 1), 0);
  const longest = lengths.reduce((most, each) => Math.max(most, each), 0);
  const pageBytes = pageTokens * bytesPerToken;
  return {
    pages: pageUse.length,
    usedPages: used.length,
    sharedPages: pageOwners.filter((owners) => owners > 1).length,
    partialPages: used.filter((each) => each < pageTokens).length,
    internalFragmentation: 1 - tokens / (used.length * pageTokens),
    pageBytes: used.length * pageBytes,
    tableBytes: 4 * (blockTable.length + lengths.length),
    savedBytes: repeats * pageBytes,
    reservedBytes: lengths.length * longest * bytesPerToken,
  };
}

/**
 * Moves the tokens of contiguous keys or values [batch, kvHeads, keys, headSize] into their pages.
 *
 * @returns [pages, kvHeads, pageTokens, headSize]; 0 where no token lies
 */
export function fillPool(
  table: PageTable,
  tensor: Float32Array,
  { kvHeads, keys, headSize }: { kvHeads: number; keys: number; headSize: number },
): Float32Array<ArrayBuffer> {
  const { pageTokens, lengths, pagesPerSequence, blockTable, pageUse } = table;
  const pool = new Float32Array(pageUse.length * kvHeads * pageTokens * headSize);
  lengths.forEach((tokens, b) => {
    for (let first = 0; first < tokens; first += pageTokens) {
      const page = blockTable[b * pagesPerSequence + first / pageTokens]!;
      const rows = Math.min(pageTokens, tokens - first);
      for (let h = 0; h < kvHeads; h++) {
        const from = ((b * kvHeads + h) * keys + first) * headSize;
        pool.set(
          tensor.subarray(from, from + rows * headSize),
          (page * kvHeads + h) * pageTokens * headSize,
        );
      }
    }
  });
  return pool;
}

/** Sequences that use a page of the pool, and which of their pages it is; none for a free one. */
export function pageUsers(
  { blockTable, lengths, pagesPerSequence, pageTokens }: PageTable,
  page: number,
): readonly { readonly sequence: number; readonly index: number }[] {
  const users: { sequence: number; index: number }[] = [];
  lengths.forEach((tokens, sequence) => {
    const row = blockTable.subarray(
      sequence * pagesPerSequence,
      sequence * pagesPerSequence + Math.ceil(tokens / pageTokens),
    );
    const index = row.indexOf(page);
    if (index >= 0) users.push({ sequence, index });
  });
  return users;
}
