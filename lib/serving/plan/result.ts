import type { ServeParams } from '../../spec/kinds/serve';
import type { SweepPoint } from '../sweep-point';
import type { CostModel } from '../types';
import type { Phase, PrunedShape } from './enumerate';
import type { Plan } from './plan';

/** What a plan does at the highest rate at which it holds the SLO. */
export interface PlanFigures {
  /** 0 where no rate holds; everything else is then NaN. */
  readonly ratePerSecond: number;
  /** The lowest rate seen not to hold; Infinity when the search ended before one. */
  readonly failsAtPerSecond: number;
  /** Requests within the SLO per second of arrivals. */
  readonly goodputPerSecond: number;
  readonly goodputPerAccelerator: number;
  readonly outputTokensPerSecond: number;
  readonly pricePerMillionTokens: number;
  readonly joulesPerToken: number;
  /** Accelerators at work on average, over those that there are. */
  readonly busyShare: number;
  readonly ttftP90Seconds: number;
  readonly tpotP90Seconds: number;
  /** Every rate that was tried, ascending. */
  readonly points: readonly SweepPoint[];
}

export interface PlanRow {
  /** In words, and one of a kind. */
  readonly label: string;
  readonly plan: Plan;
  readonly accelerators: number;
  /** From single replicas of its shapes: their highest rates times how many there are. */
  readonly estimatePerSecond: number;
  /** Undefined for plans that were only estimated, or not yet simulated. */
  readonly figures: PlanFigures | undefined;
  /** Tensor parallel within the machine, stages across: what is done without a search. */
  readonly isHeuristic: boolean;
  /** No other plan is as good or better in goodput per accelerator, price and energy. */
  readonly isPareto: boolean;
}

/** The highest rate of one replica in one phase, on the short load. */
export interface ShapeRate {
  readonly label: string;
  readonly phase: Phase;
  readonly ratePerSecond: number;
}

/** A plan search, whole or as far as it has come. */
export interface PlanResult {
  /** Simulated ones first, best first; then by estimate. At most `MOST_ROWS`. */
  readonly rows: readonly PlanRow[];
  /** How many plans there are in all. */
  readonly enumerated: number;
  readonly pruned: readonly PrunedShape[];
  readonly shapes: readonly ShapeRate[];
  /** Label of the best plan by what was asked for; undefined when no plan holds the SLO. */
  readonly chosen: string | undefined;
  readonly base: ServeParams;
  readonly accelerators: number;
  readonly seeds: number;
  readonly seed: number;
  readonly runs: number;
  readonly costModel: Pick<CostModel, 'kind' | 'label' | 'source'>;
  readonly notes: readonly string[];
}

/** Rows that a result keeps. */
export const MOST_ROWS = 300;
