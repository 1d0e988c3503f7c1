import { selectAShape } from './a-shape';
import { selectBlockSparse } from './block-sparse';
import { maskedOutputError } from './evaluate';
import type { HeadTensors, Selection } from './types';
import { selectVerticalSlash } from './vertical-slash';

/** One pattern with its budget. */
export type PatternCandidate =
  | { readonly type: 'a-shape'; readonly sinkTokens: number; readonly windowTokens: number }
  | { readonly type: 'vertical-slash'; readonly columns: number; readonly diagonals: number }
  | { readonly type: 'block'; readonly topBlocks: number };

/** The candidates of the authors' search, for prompts far above 4,096 tokens. */
export const MINFERENCE_CANDIDATES: readonly PatternCandidate[] = [
  { type: 'a-shape', sinkTokens: 100, windowTokens: 800 },
  { type: 'vertical-slash', columns: 30, diagonals: 800 },
  { type: 'vertical-slash', columns: 100, diagonals: 750 },
  { type: 'vertical-slash', columns: 100, diagonals: 800 },
  { type: 'vertical-slash', columns: 500, diagonals: 700 },
  { type: 'vertical-slash', columns: 3500, diagonals: 100 },
  { type: 'vertical-slash', columns: 1000, diagonals: 4096 },
  { type: 'block', topBlocks: 100 },
];

export interface PatternSearchOptions {
  readonly blockQueries: number;
  readonly blockKeys: number;
  readonly candidates: readonly PatternCandidate[];
  /** See `VerticalSlashOptions`, as are the two below. */
  readonly windowQueries?: number;
  readonly forcedColumns?: number;
  readonly forcedDiagonals?: number;
  /** Compare every n-th query only. Default 1. */
  readonly rowStride?: number;
}

export interface PatternSearch {
  readonly best: Selection;
  /** Index of the best candidate; the first of equals. */
  readonly bestIndex: number;
  /** In the order of the candidates. */
  readonly tried: readonly {
    readonly candidate: PatternCandidate;
    readonly selection: Selection;
    readonly outputError: number;
  }[];
}

function selectCandidate(
  head: HeadTensors,
  candidate: PatternCandidate,
  options: PatternSearchOptions,
): Selection {
  switch (candidate.type) {
    case 'a-shape':
      return selectAShape(head, { ...options, ...candidate });
    case 'vertical-slash':
      return selectVerticalSlash(head, { ...options, ...candidate });
    case 'block':
      return selectBlockSparse(head, { ...options, ...candidate });
  }
}

/**
 * MInference's offline search for one head: the candidate whose output is nearest to dense
 * attention, by relative L2 (the authors' code counts elements off by more than a fixed amount).
 * It looks at dense attention, so it is calibration, not something to run per prompt; its cost is
 * not part of `best.selectionFlops`.
 */
export function searchPattern(head: HeadTensors, options: PatternSearchOptions): PatternSearch {
  if (options.candidates.length === 0) {
    throw new RangeError('invalid candidates: none (expected at least 1)');
  }
  const tried = options.candidates.map((candidate) => {
    const selection = selectCandidate(head, candidate, options);
    return { candidate, selection, outputError: maskedOutputError(head, selection, options) };
  });
  let bestIndex = 0;
  tried.forEach(({ outputError }, i) => {
    if (outputError < (tried[bestIndex]?.outputError ?? Infinity)) bestIndex = i;
  });
  return { best: (tried[bestIndex] as (typeof tried)[number]).selection, bestIndex, tried };
}
