'use client';

import { useMemo } from 'react';
import { queryPosition } from '../../lib/attention/program';
import { labelText, type TokenLabels, tokenLabels } from '../../lib/attention/token-labels';
import type { LabelOf } from '../../lib/views/map/reading';
import type { MapOperand } from './map-operand';

const NOTHING: LabelOf = { query: () => '', key: () => '' };

/** Labels for the axes (the first table's) and for the reading (all). */
export function useTokenLabels(
  { attention, labelOf = NOTHING }: MapOperand,
  batch: number,
): { readonly labels: TokenLabels | undefined; readonly labelOf: LabelOf } {
  const { params, tokens } = attention ?? {};
  return useMemo(() => {
    if (params === undefined) return { labels: undefined, labelOf };
    const all = tokenLabels(params, batch);
    const textAt = (position: number) => labelText(all, position, tokens);
    return {
      labels: all[0],
      labelOf: {
        query: (query) => textAt(queryPosition(params.shape, query)),
        key: textAt,
      },
    };
  }, [params, tokens, labelOf, batch]);
}
