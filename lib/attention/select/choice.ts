import type { ChoiceSelection, SelectionMethod } from '../../spec/kinds/selection';
import { type ChoiceCriterion, choiceProblem } from '../../spec/kinds/selection-choice';
import { sampleFigures } from './evaluate';
import { selectFlexPrefill, testHead } from './flexprefill';
import { visibleEnd } from './grid';
import type { AlternativeFigures, HeadTensors, Selection } from './types';

type Divergence = Extract<ChoiceCriterion, { type: 'divergence' }>;
type Sampled = Exclude<ChoiceCriterion, Divergence>;

/** Index of the largest value; the first of equals. */
function bestOf(values: readonly number[]): number {
  let best = 0;
  values.forEach((value, i) => {
    if (value > (values[best] as number)) best = i;
  });
  return best;
}

/**
 * The alternative that a criterion takes, by its figures; the first of equals.
 *
 * - least-error: the output nearest to dense attention, as `searchPattern` does it.
 * - recall-per-flop: mass recall over FLOP, of visited blocks and of selecting. MInference (2024)
 *   compares candidates at equal FLOP of its kernels; the quotient is the same order there, and
 *   favours the smallest one where they differ much.
 * - recall-at-density: most mass recall among those of at most `maxDensity`; where there are none,
 *   the sparsest.
 */
export function takeAlternative(
  criterion: Sampled,
  figures: readonly Pick<AlternativeFigures, 'density' | 'massRecall' | 'outputError' | 'flops'>[],
): number {
  switch (criterion.type) {
    case 'least-error':
      return bestOf(figures.map(({ outputError }) => -outputError));
    case 'recall-per-flop':
      return bestOf(figures.map(({ massRecall, flops }) => (flops === 0 ? 0 : massRecall / flops)));
    case 'recall-at-density': {
      const { maxDensity } = criterion;
      if (figures.every(({ density }) => density > maxDensity)) {
        return bestOf(figures.map(({ density }) => -density));
      }
      return bestOf(
        figures.map(({ density, massRecall }) => (density > maxDensity ? -1 : massRecall)),
      );
    }
  }
}

/**
 * One of several selections per head. Where figures decide, every alternative is run and compared
 * with dense attention on a sample of queries, as MInference's search does offline, once per model:
 * `selectionFlops` is then that of the alternative taken alone. FlexPrefill's divergence is measured
 * per prompt and counted; where an alternative needs what the test has computed, only once.
 *
 * @param select runs one alternative
 * @throws RangeError where the criterion wants another number of alternatives
 */
export function selectByChoice(
  head: HeadTensors,
  { criterion, alternatives }: ChoiceSelection,
  select: (method: SelectionMethod) => Selection,
): Selection {
  const problem = choiceProblem(criterion, alternatives.length);
  if (problem !== undefined) {
    throw new RangeError(`invalid alternatives: ${alternatives.length} (${problem})`);
  }
  if (criterion.type === 'divergence') return selectByTest(head, criterion, alternatives, select);
  const tried = alternatives.map(select);
  let visiblePairs = 0;
  for (let q = 0; q < head.queries; q++) visiblePairs += visibleEnd(head, q);
  const figures = tried.map((selection) => {
    const { blockDensity, ...rest } = sampleFigures(head, selection, criterion.rowStride);
    const attentionFlops = 4 * head.headSize * Math.round(blockDensity * visiblePairs);
    return { ...rest, flops: attentionFlops + selection.selectionFlops };
  });
  const taken = takeAlternative(criterion, figures);
  const choice = { by: 'figures', taken, alternatives: figures } as const;
  return { ...(tried[taken] as Selection), choice };
}

/** Whether an alternative scores exactly what the test has scored: the window of last queries. */
function scoresWindow(method: SelectionMethod, windowQueries: number): boolean {
  if (method.type !== 'composed') return false;
  const { summariser, scorer, selector, order } = method;
  return (
    summariser.type === 'every-key' &&
    scorer.type === 'window' &&
    scorer.windowQueries === windowQueries &&
    selector.type !== 'none' &&
    order === undefined
  );
}

function selectByTest(
  head: HeadTensors,
  { blockTokens, tau }: Divergence,
  alternatives: readonly SelectionMethod[],
  select: (method: SelectionMethod) => Selection,
): Selection {
  const test = testHead(head, blockTokens);
  const taken = test.distance < tau ? 0 : 1;
  const method = alternatives[taken] as SelectionMethod;
  const selection =
    method.type === 'flexprefill' && method.blockTokens === blockTokens
      ? selectFlexPrefill(head, { ...method, lineUnit: 'token' }, test)
      : select(method);
  const known = scoresWindow(method, blockTokens) ? test.window.flops : 0;
  return {
    ...selection,
    selectionFlops: test.flops + selection.selectionFlops - known,
    choice: { by: 'divergence', taken, distance: test.distance },
  };
}
