import { partsOf } from '../../lib/attention/select/parts-of';
import { attentionSelection } from '../../lib/spec/kinds/selection';
import {
  type ComposedSelection,
  hasOneScorePerBlock,
  selectsLines,
} from '../../lib/spec/kinds/selection-parts';

/** Presets that the parts can say, by whom they are known. */
export const STARTS = [
  'a-shape',
  'vertical-slash',
  'line-cover',
  'hip',
  'sale',
  'moba',
  'nsa',
  'block-sparse',
  'quest',
  'lserve',
  'xattention',
  'pbs',
  'oracle-top-k',
  'oracle-top-p',
] as const;
export type Start = (typeof STARTS)[number];

/** The parts of a preset with its own numbers. */
export function startParts(start: Start, isCausal: boolean): ComposedSelection | undefined {
  const parts = partsOf(attentionSelection.parse({ type: start }), isCausal);
  return parts?.type === 'composed' ? parts : undefined;
}

/** The preset whose parts these are, numbers included. */
export function startOf(composed: ComposedSelection, isCausal: boolean): Start | undefined {
  return STARTS.find((start) => isSame(startParts(start, isCausal), composed));
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  // A part that is left out may be there as undefined.
  const given = (of: object) =>
    Object.entries(of).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const names = given(a);
  return (
    names.length === given(b).length &&
    names.every((name) =>
      isSame((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
    )
  );
}

const SUMMARISERS: Readonly<Record<ComposedSelection['summariser']['type'], string>> = {
  mean: 'each block stands for itself by the mean of its keys',
  'sliding-mean': 'means of parts of the keys, which may overlap and cross blocks',
  bounds: 'the least and largest value per channel bound every score of a part of the block',
  representative: 'one key stands for its block',
  'every-key': 'nothing stands for anything: keys are scored themselves',
  'low-bit': 'each key has its score, of integer codes with one scale per token',
};
const SCORERS: Readonly<Record<ComposedSelection['scorer']['type'], string>> = {
  'mean-query': 'one query per query block, the mean of them',
  window: 'the last queries of the head choose, once for every query block',
  'every-query': 'each query of a query block has its say',
  antidiagonal: 'sums along the antidiagonals of small tiles, at 1/stride of the scores',
};

type ScoredSelector = Exclude<ComposedSelection['selector'], { type: 'none' }>;

const BLOCKS = 'the unit that is kept, and the queries that share a choice';
const LINE_BLOCKS = 'where the kernel looks: blocks that hold a kept key, masked to the key';
const FORCED = 'the first keys, and the last keys of each query';

/** What the parts amount to, one sentence each. */
export function partNotes(composed: ComposedSelection) {
  const { summariser, scorer, reducer, selector } = composed;
  if (selector.type === 'none') return forcedNotes(selector.unit);
  const isTree = selector.type === 'tree';
  const hasBudget = selector.type !== 'threshold' && !isTree;
  const window = hasBudget ? '; a window is kept beside the budget, the others count' : '';
  return {
    blocks: selectsLines(composed) ? LINE_BLOCKS : BLOCKS,
    summariser: isTree ? 'one key stands for its node of the tree' : SUMMARISERS[summariser.type],
    scorer: SCORERS[scorer.type],
    reducer: reducerNote(composed),
    selector: selectorNote(selector, reducer.of),
    forced: selectsLines(composed)
      ? `${FORCED}, are always kept, exactly${window}`
      : `blocks with ${FORCED}, are always kept${isTree ? ', beside those found' : ''}${window}`,
  } as const;
}

/** Of a selection that nothing is chosen for. */
function forcedNotes(unit: 'token' | 'block') {
  const unused = 'not used: nothing is scored';
  return {
    blocks: unit === 'token' ? LINE_BLOCKS : BLOCKS,
    summariser: unused,
    scorer: unused,
    reducer: unused,
    selector: 'nothing beside what is forced',
    forced: unit === 'token' ? `${FORCED}, exactly` : `blocks with ${FORCED}`,
  } as const;
}

function selectorNote(selector: ScoredSelector, of: ComposedSelection['reducer']['of']): string {
  switch (selector.type) {
    case 'top-k':
      return 'the best blocks, forced ones among them';
    case 'line-top-k':
      return 'the best keys and the best distances, the same for every query, forced ones among them';
    case 'line-top-p':
      return 'the fewest keys, and the fewest distances, that each hold a share of the probabilities';
    case 'line-cover':
      return selector.kinds === 'both'
        ? 'the fewest keys and distances that hold a share together, overlaps counted once'
        : 'the fewest keys that hold a share';
    case 'tree':
      return `from the top of a tree of blocks, each node split in ${selector.branch}: the best go on, the others are never scored`;
  }
  if (selector.type === 'threshold' && selector.of === 'forced') {
    return 'blocks with a key that a query may give more than a share of what it gives to all forced keys';
  }
  const weights = of === 'scores' ? 'the softmax over blocks' : 'the probabilities';
  if (selector.type === 'top-p') return `the fewest blocks that hold a share of ${weights}`;
  const whole = selector.of === 'maximum' ? 'the largest' : 'the sum';
  return `blocks of at least a share of ${whole} of ${weights}`;
}

function reducerNote(composed: ComposedSelection): string {
  if (selectsLines(composed)) {
    const what = composed.reducer.of === 'scores' ? 'scores' : 'probabilities';
    return `${what} along columns and diagonals: each query has one key on a line, so only queries are reduced`;
  }
  if (composed.summariser.type === 'sliding-mean') {
    const how = { sum: 'shares by overlap', mean: 'means by overlap', max: 'the largest' } as const;
    return `probabilities of parts; a block gets ${how[composed.reducer.keys]} of those that cross it`;
  }
  const single = [
    ...(hasOneScorePerBlock(composed) ? ['one score per block'] : []),
    ...(composed.scorer.type === 'mean-query' ? ['one query'] : []),
  ];
  const what =
    composed.reducer.of === 'scores'
      ? 'scores as they are'
      : 'after a softmax over the keys that each query sees';
  if (single.length === 0) return what;
  return `${what}; ${single.join(' and ')}, so ${single.length === 2 ? 'nothing is' : 'only the other axis is'} reduced`;
}
