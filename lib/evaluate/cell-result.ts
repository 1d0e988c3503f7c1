import type { AdapterInfo } from '../attention/types';
import type { HeadGates } from '../cache/policy/classify';
import type { CacheEntry, CacheParams } from '../spec/kinds/cache';
import type { Transformer } from '../transformer/types';
import type { CacheLook } from './look';
import type { Evaluation } from './types';

/** How much of the context each head was said to need. */
export interface RunGates {
  /** [layers][kvHeads] */
  readonly values: HeadGates;
  /** How they were found, in words. */
  readonly by: string;
  /** The same for every context; otherwise these are of the context that is looked at. */
  readonly isFitted: boolean;
}

/** One policy on the task. */
export interface CacheRun {
  readonly entry: CacheEntry;
  /** Unlike those of the other runs. */
  readonly label: string;
  /** Where the policy is from, and which of its numbers are the paper's. */
  readonly source: string;
  readonly defaults: string;
  readonly isOracle: boolean;
  readonly evaluation: Evaluation | undefined;
  /** Summed over threads. */
  readonly seconds: number;
  readonly look: CacheLook | undefined;
  /** For policies with classes of heads. */
  readonly gates?: RunGates;
  /** Why this policy did not run, or could not be looked at; the others did. */
  readonly problem?: string;
}

/** Cache policies side by side on one task. */
export interface CacheResult {
  readonly params: CacheParams;
  readonly modelName: string;
  /** `webgpu` where a GPU did some of it; notes say which runs, and what else was computed where. */
  readonly engine: Transformer['engine'];
  /** That GPU. */
  readonly adapter?: AdapterInfo;
  readonly workers: number;
  readonly taskName: string;
  readonly runs: readonly CacheRun[];
  /** The looked-at context's tokens, and the spans that the answer needs. */
  readonly labels: readonly string[];
  readonly evidence: readonly (readonly [number, number])[];
  readonly questionLabels: readonly string[];
  readonly answerLabels: readonly string[];
  /** What each run wrote to the looked-at question, in the order of `runs`. */
  readonly generatedLabels: readonly (readonly string[])[];
  /** Of the question and its true answer, from the full cache: [layers, kvHeads, contextTokens]. */
  readonly attention: Float32Array;
  readonly notes: readonly string[];
}
