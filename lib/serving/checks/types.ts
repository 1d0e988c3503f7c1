/**
 * Where a rule was read: the abstract, the authors' code, somebody's summary, or from memory; or it
 * follows by arithmetic.
 */
export type Evidence = 'abstract' | 'code' | 'third-party' | 'unverified' | 'arithmetic';

/** One number of a check, beside the band where it is expected. */
export interface CheckFigure {
  /** What it is, in words: `goodput, S-EDF against the best chunked EDF`. */
  readonly label: string;
  readonly value: number;
  /** `x` for a ratio, else a unit (`req/s`, `%`, `s`). */
  readonly unit: string;
  /** The band, ends included; an absent end is open. No band for figures that only explain. */
  readonly expected?: { readonly low?: number; readonly high?: number };
  /** Of 95 %, where the value is measured on samples. */
  readonly interval?: { readonly low: number; readonly high: number };
  /** Where the band comes from; required with one. A paper's claim is called a claim here. */
  readonly source?: string;
}

/** A curve or bars to look at, columns of equal length. */
export interface CheckSeries {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly {
    readonly name: string;
    readonly x: readonly number[];
    readonly y: readonly number[];
  }[];
}

export interface CheckResult {
  readonly figures: readonly CheckFigure[];
  readonly series: readonly CheckSeries[];
  /** What was run, in words: model, hardware, workload, seeds, and what the check leaves out. */
  readonly notes: readonly string[];
}

export interface CheckProgress {
  /** In [0, 1]. */
  readonly fraction: number;
  readonly phase: string;
}

/** A published serving method held against the figures it is known by, small enough for a laptop. */
export interface RowCheck {
  /** The method's short name: `sarathi-serve`. */
  readonly id: string;
  readonly title: string;
  /** The question that the check answers, one sentence. */
  readonly asks: string;
  /** The method's rule, in one screen of plain text. */
  readonly rule: string;
  readonly evidence: Evidence;
  /**
   * Runs it. Yields at least every 50 ms of work, so that a page can show progress and cancel;
   * deterministic by seed.
   */
  run(seed: number): Generator<CheckProgress, CheckResult>;
}

/** Whether a figure lies in its band; undefined without one or when it is not a number. */
export function isWithin(figure: CheckFigure): boolean | undefined {
  const { expected, value } = figure;
  if (expected === undefined || Number.isNaN(value)) return undefined;
  return value >= (expected.low ?? -Infinity) && value <= (expected.high ?? Infinity);
}

/**
 * Whether the interval leaves no doubt of `isWithin`: it lies in the band whole, or outside of it.
 * Undefined without an interval or a verdict.
 */
export function isCertain(figure: CheckFigure): boolean | undefined {
  const { expected, interval } = figure;
  const holds = isWithin(figure);
  if (expected === undefined || interval === undefined || holds === undefined) return undefined;
  const { low = -Infinity, high = Infinity } = expected;
  return holds
    ? interval.low >= low && interval.high <= high
    : interval.high < low || interval.low > high;
}
