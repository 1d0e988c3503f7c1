import type { SpeculateParams } from '../spec/kinds/speculate';
import type { Transformer } from '../transformer/types';
import type { AcceptanceProfile } from './acceptance';
import type { Comparison, GuessedRound } from './compare';

/** An acceptance profile whose gaps are NaN: results and their JSON form hold no undefined. */
export interface CellAcceptance extends Omit<AcceptanceProfile, 'acceptance'> {
  readonly acceptance: readonly number[];
}

/** A round in words. */
export interface LabelledRound extends GuessedRound {
  readonly guessLabels: readonly string[];
}

/** Draft and verify beside greedy decoding, on one text. */
export interface SpeculateResult {
  readonly params: SpeculateParams;
  readonly modelName: string;
  readonly engine: Transformer['engine'];
  readonly drafter: string;
  readonly source: string;
  readonly defaults: string;
  readonly promptLabels: readonly string[];
  /** What the drafter was told is the question: the last tokens of the prompt. */
  readonly questionTokens: number;
  readonly tokens: readonly number[];
  readonly labels: readonly string[];
  readonly rounds: readonly LabelledRound[];
  readonly profile: CellAcceptance;
  readonly isGreedyText: boolean;
  /** Place of the first token that differs from greedy decoding; -1 where none does. */
  readonly firstDifference: number;
  readonly greedyLabels: readonly string[];
  readonly greedyCalls: number;
  readonly seconds: Comparison['seconds'];
}

/** What another room needs to simulate this speculation: plain JSON, gaps as null. */
export function acceptanceJson(result: SpeculateResult): string {
  const { profile, modelName, params } = result;
  const about = { format: 'headroom/acceptance', version: 1, model: modelName, text: params.text };
  return `${JSON.stringify({ ...about, ...profile }, null, 2)}\n`;
}
