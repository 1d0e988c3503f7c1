import type { AttentionSelection } from '../../lib/spec/kinds/selection';
import type { ChoiceCriterion } from '../../lib/spec/kinds/selection-choice';

/** What each method looks at, and where it comes from. */
const METHODS: Readonly<Record<AttentionSelection['type'], string>> = {
  none: 'every key that the variant leaves',
  'a-shape': 'the first keys and a window (MInference)',
  'vertical-slash': 'columns and diagonals that the last queries attend to (MInference)',
  'line-cover': 'the fewest columns and diagonals that cover a share of the mass (LoopServe)',
  'block-sparse': 'blocks whose mean queries and keys agree most (MInference)',
  'pattern-search': 'per head the best of three patterns, searched on a sample (MInference)',
  flexprefill: 'per head blocks or lines, as many as a share of the mass needs (FlexPrefill)',
  sale: 'blocks that a low-bit estimate cannot rule out (SALE)',
  pbs: 'keys sorted within segments, then blocks up to a share (PBS-Attn)',
  hip: 'a tree search for the best keys by representatives (HiP Attention)',
  quest: 'pages by the bound of their smallest and largest keys (Quest)',
  lserve: 'pages by the bounds of their parts (LServe)',
  xattention: 'blocks by sums along antidiagonals (XAttention)',
  moba: 'the blocks with the best mean key per query (MoBA)',
  nsa: 'compressed keys choose blocks, beside a window (NSA)',
  composed: 'keys chosen by parts: what stands for keys, which queries score them, what is kept',
  choice: 'per head one of several, by what it keeps and costs there',
  'oracle-top-k': 'the blocks with the most true mass: a bound for the others',
  'oracle-top-p': 'the fewest blocks with a share of the true mass: a bound for the others',
};

/** What a method does; of an alternative among several, what its numbers leave of it. */
export function methodNote(select: AttentionSelection, isAlternative: boolean): string {
  if (isAlternative && select.type === 'flexprefill') {
    if (select.tau === 1) return 'blocks of the pooled map, as many as a share needs (FlexPrefill)';
    if (select.tau === 0) return 'columns and diagonals, as many as a share needs (FlexPrefill)';
  }
  return METHODS[select.type];
}

/** A name for one of several, in a few words. */
export function alternativeName(select: AttentionSelection): string {
  if (select.type === 'composed') {
    const { order, summariser, scorer, selector } = select;
    const scored =
      selector.type === 'none' ? ['forced keys'] : [summariser.type, scorer.type, selector.type];
    return [...(order === undefined ? [] : ['sorted']), ...scored].join(', ');
  }
  if (select.type === 'flexprefill' && select.tau === 1) return 'flexprefill, blocks';
  if (select.type === 'flexprefill' && select.tau === 0) return 'flexprefill, lines';
  return select.type;
}

/** What decides, and what it costs to know. */
export const CRITERION_NOTES: Readonly<Record<ChoiceCriterion['type'], string>> = {
  'least-error':
    'the output nearest to dense attention, on a sample of queries; a search done once per model (MInference)',
  'recall-per-flop':
    'the most mass per FLOP of visited blocks and of selecting, on a sample of queries; it favours small ones unless their budgets are alike',
  'recall-at-density':
    'the most mass among those of at most this density, on a sample of queries; the sparsest where none is',
  divergence:
    'the first alternative where means of blocks predict what the last queries attend to, else the second; measured per prompt (FlexPrefill)',
};
