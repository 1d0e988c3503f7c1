import type { PolicyOptions } from '../../cache/policy/registry';
import type { Protocol } from '../../cache/types';
import type { CheckFigure, CheckProgress, CheckResult, Evidence } from '../../serving/checks/types';
import type { CachePolicy } from '../../spec/cache-policy';
import type { Transformer } from '../../transformer/types';

/** One policy on one task: what a check holds against another. */
export interface Arm {
  readonly policyId: string;
  /** Of the context's slots, or what the preset's budget is of. */
  readonly share: number;
  readonly task: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly contextTokens: number;
  readonly samples: number;
  readonly protocol: Protocol;
  /** A name of `policyOptions` or `change`, so that arms can be told apart. */
  readonly variant?: string;
  /** The preset with a part changed. */
  readonly change?: (policy: CachePolicy) => CachePolicy;
  readonly policyOptions?: (model: Transformer) => PolicyOptions;
}

/** What an arm came to, over its contexts. */
export interface Measured {
  /** Right answers, of all. */
  readonly accuracy: number;
  /** Mean absolute difference of the logits after a question from those of the full cache in f16. */
  readonly logitError: number;
  /** Bytes held after compression against the full cache in f16, host memory too. */
  readonly byteRatio: number;
  /** The same without host memory. */
  readonly deviceRatio: number;
  readonly slotRatio: number;
  readonly movedBytesPerToken: number;
  /** Tokens of a context that were run again, a layer of a token counting as one layer's part. */
  readonly recomputedTokens: number;
}

/** Measures arms, each once for a seed. */
export type Measure = (arm: Arm) => Generator<number, Measured>;

/**
 * A cache policy held against what it is known by, on the shipped model. `RowCheck` with a model to
 * run on: `run` needs it loaded, in the words of the tasks.
 */
export interface CacheCheck {
  /** Of the policy: `snapkv`. */
  readonly id: string;
  readonly title: string;
  readonly asks: string;
  /** What is expected, and who says so. */
  readonly rule: string;
  readonly evidence: Evidence;
  readonly arms: Readonly<Record<string, Arm>>;
  figures(measured: Readonly<Record<string, Measured>>): readonly CheckFigure[];
}

export type { CheckFigure, CheckProgress, CheckResult };
