import type { ComposedSelection } from './selection-parts';

/** One score per block, which every reduction leaves as it is. */
export function hasOneScorePerBlock({ summariser, blockTokens }: ComposedSelection): boolean {
  if (summariser.type === 'bounds') return summariser.partTokens >= blockTokens;
  return summariser.type === 'mean' || summariser.type === 'representative';
}

export interface PartsIssue {
  readonly path: readonly string[];
  /** After the field and its value: `expected ...`. */
  readonly message: string;
}

/** Why parts do not go together, each at the field to change; empty where they do. */
export function partsIssues(composed: ComposedSelection): readonly PartsIssue[] {
  const { summariser, scorer, reducer, selector, blockTokens, queryBlockTokens } = composed;
  // Nothing is scored: the other parts wait for another selector.
  if (selector.type === 'none') return [];
  const issues: PartsIssue[] = [];
  const refuse = (path: string, message: string) =>
    issues.push({ path: path.split('.'), message: `expected ${message}` });
  if (scorer.type === 'antidiagonal') {
    if (summariser.type !== 'every-key') {
      refuse('scorer.type', 'another scorer, or summariser every-key: antidiagonals are of keys');
    }
    const { stride } = scorer;
    if (blockTokens % stride !== 0 || queryBlockTokens % stride !== 0) {
      refuse('scorer.stride', 'a divisor of blockTokens and of queryBlockTokens');
    }
  }
  if (summariser.type === 'bounds') {
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
    const isMass = selector.type === 'top-p' || selector.type === 'threshold';
    if (isMass && !(selector.type === 'threshold' && selector.of === 'maximum')) {
      const field = selector.type === 'top-p' ? 'selector.type' : 'selector.of';
      refuse(field, 'selector top-k or a threshold of the maximum: upper bounds add up to no mass');
    }
  }
  if (reducer.of === 'scores') {
    const why =
      'reducer max or mean, or one of probabilities: scores of either sign add up to nothing';
    if (reducer.keys === 'sum' && summariser.type !== 'bounds' && !hasOneScorePerBlock(composed)) {
      refuse('reducer.keys', why);
    }
    if (reducer.queries === 'sum' && scorer.type !== 'mean-query') refuse('reducer.queries', why);
  }
  return issues;
}
