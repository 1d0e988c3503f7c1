'use client';

import { useMemo } from 'react';
import { queryPosition } from '../../lib/attention/program';
import { labelText, type TokenLabels, tokenLabels } from '../../lib/attention/token-labels';
import type { LabelOf } from '../../lib/views/map/reading';
import type { MapOperand } from './map-operand';

/** Labels for the axes (the first table's) and for the reading (all). */
export function useTokenLabels(
  { attention }: MapOperand,
  batch: number,
): { readonly labels: TokenLabels | undefined; readonly labelOf: LabelOf } {
  return useMemo(() => {
    const all = tokenLabels(attention, batch);
    return {
      labels: all[0],
      labelOf: {
        query: (query) => labelText(all, queryPosition(attention.shape, query)),
        key: (key) => labelText(all, key),
      },
    };
  }, [attention, batch]);
}
