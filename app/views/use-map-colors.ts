'use client';

import { type RefObject, useMemo } from 'react';
import type { MapColors } from '../../lib/views/map/draw';
import { useTokens } from './use-canvas';

const COLORS = {
  ink: '--ink',
  inkSoft: '--ink-soft',
  paper: '--surface',
  accent: '--accent',
  masked: '--masked',
  maskedLine: '--masked-line',
  blockFull: '--block-full',
  blockPartial: '--block-partial',
  blockHalo: '--block-halo',
};
const SERIES = {
  1: '--series-1',
  2: '--series-2',
  3: '--series-3',
  4: '--series-4',
  5: '--series-5',
  6: '--series-6',
  7: '--series-7',
  8: '--series-8',
};

/** The colours of a map, from the tokens in force. */
export function useMapColors(host: RefObject<HTMLElement | null>): MapColors | undefined {
  const colors = useTokens(host, COLORS);
  const series = useTokens(host, SERIES);
  return useMemo(
    () => colors && series && { ...colors, series: Object.values(series) },
    [colors, series],
  );
}
