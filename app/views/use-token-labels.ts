'use client';

import { useMemo } from 'react';
import { queryPosition } from '../../lib/attention/program';
import { labelText, type TokenLabels, tokenLabels } from '../../lib/attention/token-labels';
import type { LabelOf } from '../../lib/views/map/reading';
import type { MapOperand } from './map-operand';

/** Labels for the axes (the first table's) and for the reading (all). */
export function useTokenLabels(
  { attention, tokens }: MapOperand,
  batch: number,
): { readonly labels: TokenLabels | undefined; readonly labelOf: LabelOf } {
  return useMemo(() => {
    const all = tokenLabels(attention, batch);
    const textAt = (position: number) => labelText(all, position, tokens);
    return {
      labels: all[0],
      labelOf: {
        query: (query) => textAt(queryPosition(attention.shape, query)),
        key: textAt,
      },
    };
  }, [attention, tokens, batch]);
}
