import type { CachePolicy } from '../../spec/cache-policy';
import { ACTIONS } from './action-table';
import type { ActionDefinition } from './actions';

/** What a policy looks at, from nothing to what no policy can know; each is shown with its results. */
export const TRACE_NEEDS = [
  'none',
  'positions',
  'keys',
  'values',
  'last queries',
  'probe queries',
  'full attention',
  'ground-truth future',
] as const;
export type TraceNeed = (typeof TRACE_NEEDS)[number];

/** The most that a policy's scorer, allocator and classifier look at. */
export function traceNeedOf(policy: CachePolicy): TraceNeed {
  const needs: TraceNeed[] = [scorerNeed(policy)];
  if (policy.allocator.type === 'entropy-variance') needs.push('last queries');
  if (policy.classifier.type === 'mean-query') needs.push('probe queries');
  if (policy.selector.sinkTokens > 0) needs.push('positions');
  return TRACE_NEEDS[Math.max(...needs.map((need) => TRACE_NEEDS.indexOf(need)))]!;
}

function scorerNeed({ scorer }: CachePolicy): TraceNeed {
  switch (scorer.type) {
    case 'random':
      return 'none';
    case 'position':
      return 'positions';
    case 'key-norm':
    case 'key-mean-cosine':
      return 'keys';
    case 'value-norm':
      return 'values';
    case 'attention':
      if (scorer.queries === 'all') return 'full attention';
      return scorer.queries === 'last' || scorer.queries === 'window'
        ? 'last queries'
        : 'probe queries';
    case 'expected-attention':
      return 'probe queries';
    case 'future-attention':
      return 'ground-truth future';
  }
}

/** Scores, or the form of what is held, change with the question when it is in sight. */
export function isQueryAware({ scorer, action, keptAction }: CachePolicy): boolean {
  return (
    scorer.type === 'attention' ||
    scorer.type === 'future-attention' ||
    windowQueriesOf(action) > 0 ||
    windowQueriesOf(keptAction) > 0
  );
}

function windowQueriesOf(action: CachePolicy['action']): number {
  const definition = ACTIONS[action.type] as ActionDefinition | undefined;
  return definition?.needs?.(action)?.windowQueries ?? 0;
}

/** Queries of each layer that must be kept, counted back from the last. */
export function keptQueryRows(policy: CachePolicy): number {
  const { scorer, action, keptAction } = policy;
  let rows = 0;
  if (scorer.type === 'attention' && scorer.queries !== 'all') {
    const isLast = scorer.queries === 'last';
    rows = isLast ? 1 : scorer.queries === 'window' ? scorer.windowTokens : Infinity;
  }
  if (scorer.type === 'future-attention' || scorer.type === 'expected-attention') rows = Infinity;
  for (const one of [action, keptAction]) {
    rows = Math.max(rows, windowQueriesOf(one));
  }
  return rows;
}
