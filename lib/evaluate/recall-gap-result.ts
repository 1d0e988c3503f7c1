import type { RecallGapParams, SiblingName } from '../spec/kinds/recall-gap';
import type { TalliedShare } from '../stats/tally';
import type { Interval } from '../stats/wilson';
import type { SiblingMixer } from '../transformer/siblings';

/** One model at one number of pairs. */
export interface RecallPoint {
  readonly pairs: number;
  /** Tokens read before the questions. */
  readonly promptTokens: number;
  /** More pairs than `trainedPairs` of the curve. */
  readonly isExtrapolated: boolean;
  /** What the model keeps between tokens when the questions begin, f32. */
  readonly stateBytes: number;
  readonly accuracy: TalliedShare & { readonly designEffect: number };
  /**
   * Reading twice minus reading once on the same contexts, as a share of the questions, with a
   * normal interval of 95 % over contexts; absent where the context is read once.
   */
  readonly gain?: { readonly mean: number } & Interval;
}

/** One model over the numbers of pairs, with the context read once or twice. */
export interface RecallCurve {
  readonly model: SiblingName;
  readonly reads: 1 | 2;
  readonly mixers: readonly SiblingMixer[];
  readonly parameters: number;
  /** Most pairs that make a row as the model was trained on: their number, and the row's length. */
  readonly trainedPairs: number;
  readonly points: readonly RecallPoint[];
}

export interface RecallGapResult {
  readonly params: RecallGapParams;
  readonly curves: readonly RecallCurve[];
  /** Pairs of the longest row that the models were trained on. */
  readonly trainedPairs: number;
  /** Tokens of that row. */
  readonly trainedTokens: number;
  readonly seconds: number;
}
