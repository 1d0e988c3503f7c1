import type { VllmCheck } from './replay-run';

export type ErrorKey = 'tpotMeanPct' | 'e2eMeanPct' | 'ttftMeanPct' | 'makespanPct';

/** How far a replay may be from the run, in percent; undefined where no bar was set. */
export type Bars = Readonly<Record<ErrorKey, number | undefined>>;

/** With operator tables of the accelerator and model that ran. */
export const TABLE_BARS: Bars = {
  tpotMeanPct: 2,
  e2eMeanPct: 2.5,
  ttftMeanPct: 5,
  makespanPct: 2,
};

/** Without tables, from operator fits of other accelerators. */
export const ANALYTIC_BARS: Bars = {
  tpotMeanPct: 8,
  e2eMeanPct: 10,
  ttftMeanPct: undefined,
  makespanPct: undefined,
};

/** Whether an error is within its bar; undefined where there is none. */
export function isWithin(check: VllmCheck, bars: Bars, key: ErrorKey): boolean | undefined {
  const bar = bars[key];
  return bar === undefined ? undefined : Math.abs(check[key]) <= bar;
}
