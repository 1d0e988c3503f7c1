import { orderIssues } from './selection-order';
import type { ComposedSelection } from './selection-parts';

/** One score per block, which every reduction leaves as it is. */
export function hasOneScorePerBlock({ summariser, blockTokens }: ComposedSelection): boolean {
  if (summariser.type === 'bounds') return summariser.partTokens >= blockTokens;
  return summariser.type === 'mean' || summariser.type === 'representative';
}

/** Columns and diagonals of single keys, not blocks. */
export function selectsLines({ selector }: ComposedSelection): boolean {
  return selector.type.startsWith('line-');
}

export interface PartsIssue {
  readonly path: readonly string[];
  /** After the field and its value: `expected ...`. */
  readonly message: string;
}

type Refuse = (path: string, message: string) => void;

/** Why parts do not go together, each at the field to change; empty where they do. */
export function partsIssues(composed: ComposedSelection): readonly PartsIssue[] {
  const issues: PartsIssue[] = [...orderIssues(composed)];
  // Nothing is scored: the other parts wait for another selector.
  if (composed.selector.type === 'none') return issues;
  const refuse: Refuse = (path, message) =>
    issues.push({ path: path.split('.'), message: `expected ${message}` });
  refuseScorer(composed, refuse);
  if (selectsLines(composed)) {
    refuseLines(composed, refuse);
    return issues;
  }
  if (composed.selector.type === 'tree') refuseTree(composed, refuse);
  refuseBounds(composed, refuse);
  if (composed.summariser.type === 'sliding-mean') refuseSliding(composed, refuse);
  else if (isOfForced(composed)) refuseOfForced(composed, refuse);
  else if (composed.reducer.of === 'scores') refuseSums(composed, refuse);
  return issues;
}

function refuseScorer(
  { summariser, scorer, blockTokens, queryBlockTokens }: ComposedSelection,
  refuse: Refuse,
): void {
  if (scorer.type !== 'antidiagonal') return;
  if (summariser.type !== 'every-key') {
    refuse('scorer.type', 'another scorer, or summariser every-key: antidiagonals are of keys');
  }
  const { stride } = scorer;
  if (blockTokens % stride !== 0 || queryBlockTokens % stride !== 0) {
    refuse('scorer.stride', 'a divisor of blockTokens and of queryBlockTokens');
  }
}

/** Lines are of single keys, chosen once, and each query has one key on each. */
function refuseLines(
  { summariser, scorer, reducer, selector }: ComposedSelection,
  refuse: Refuse,
): void {
  if (summariser.type !== 'every-key' && summariser.type !== 'low-bit') {
    refuse(
      'selector.type',
      'a selector of blocks, or summariser every-key or low-bit: lines are of single keys',
    );
  } else if (scorer.type !== 'window') {
    refuse('selector.type', 'a selector of blocks, or scorer window: one choice for all queries');
  }
  const { type } = selector;
  if (reducer.of === 'scores' && type !== 'line-top-k') {
    refuse('reducer.of', `probabilities, or selector line-top-k: scores have no share`);
  } else if (reducer.queries === 'sum' && reducer.of === 'scores') {
    refuse('reducer.queries', SUM_OF_SCORES);
  }
  if (type === 'line-cover' && reducer.queries !== 'sum') {
    refuse('reducer.queries', 'sum, or another selector: a cover adds up what it has not covered');
  }
}

/** A tree has one key a node, and each query block goes down it by itself. */
function refuseTree({ summariser, scorer, reducer }: ComposedSelection, refuse: Refuse): void {
  if (summariser.type !== 'representative') {
    refuse(
      'selector.type',
      'another selector, or summariser representative: one key stands for a node of the tree',
    );
  } else if (scorer.type !== 'mean-query' && scorer.type !== 'every-query') {
    refuse(
      'selector.type',
      'another selector, or scorer mean-query or every-query: each query block has its search',
    );
  }
  if (reducer.of === 'probabilities') {
    refuse('reducer.of', 'scores, or another selector: a search does not score every key');
  }
}

/** A threshold against the forced keys, which each query has its own sum over. */
function isOfForced({ selector }: ComposedSelection): boolean {
  return selector.type === 'threshold' && selector.of === 'forced';
}

function refuseOfForced(composed: ComposedSelection, refuse: Refuse): void {
  const { scorer, reducer, forced } = composed;
  if (scorer.type !== 'every-query') {
    refuse(
      'selector.of',
      'maximum or mass, or scorer every-query: each query compares with its own forced keys',
    );
  }
  if (forced.sinkTokens === 0 && forced.recentTokens === 0) {
    refuse('forced.recentTokens', 'at least 1, or first keys: a threshold of the forced keys');
  }
  if (reducer.of === 'probabilities') {
    refuse('reducer.of', 'scores: a threshold of the forced keys is over them, not over all keys');
  }
  const why = 'max, or another threshold: one key of one query keeps its block';
  if (reducer.keys !== 'max' && !hasOneScorePerBlock(composed)) refuse('reducer.keys', why);
  if (reducer.queries !== 'max') refuse('reducer.queries', why);
}

/** A block that no whole part lies in has no score, but its share of the probabilities is 0. */
function refuseSliding(composed: ComposedSelection, refuse: Refuse): void {
  const { summariser, reducer } = composed;
  if (summariser.type !== 'sliding-mean') return;
  const { partTokens, strideTokens } = summariser;
  if (strideTokens > partTokens) {
    refuse(
      'summariser.strideTokens',
      `at most partTokens ${partTokens}: keys between parts would stand for nothing`,
    );
  }
  if (isOfForced(composed)) {
    refuse('selector.of', 'maximum or mass, or another summariser: parts that cross blocks');
  } else if (reducer.of === 'scores') {
    refuse('reducer.of', 'probabilities: parts that cross blocks share them out');
  }
}

function refuseBounds(composed: ComposedSelection, refuse: Refuse): void {
  const { summariser, reducer, selector, blockTokens } = composed;
  if (summariser.type !== 'bounds') return;
  if (blockTokens % summariser.partTokens !== 0) {
    refuse('summariser.partTokens', `summariser parts that divide blockTokens ${blockTokens}`);
  }
  if (reducer.of === 'probabilities') {
    refuse('reducer.of', 'a reducer of scores: upper bounds are no probabilities');
  }
  if (reducer.keys !== 'max' && !hasOneScorePerBlock(composed)) {
    refuse(
      'reducer.keys',
      'reducer max over keys: only the largest bound of its parts bounds a block',
    );
  }
  const ofMass = selector.type === 'threshold' && selector.of === 'mass';
  if (selector.type === 'top-p' || ofMass) {
    refuse(
      ofMass ? 'selector.of' : 'selector.type',
      'selector top-k or a threshold of the maximum: upper bounds add up to no mass',
    );
  }
}

const SUM_OF_SCORES =
  'reducer max or mean, or one of probabilities: scores of either sign add up to nothing';

function refuseSums(composed: ComposedSelection, refuse: Refuse): void {
  const { summariser, scorer, reducer } = composed;
  if (reducer.keys === 'sum' && summariser.type !== 'bounds' && !hasOneScorePerBlock(composed)) {
    refuse('reducer.keys', SUM_OF_SCORES);
  }
  if (reducer.queries === 'sum' && scorer.type !== 'mean-query') {
    refuse('reducer.queries', SUM_OF_SCORES);
  }
}
