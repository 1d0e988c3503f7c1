import type { PolicyOptions } from '../../cache/policy/registry';
import type { Protocol } from '../../cache/types';
import type {
  CheckFigure,
  CheckProgress,
  CheckResult,
  CheckSeries,
  Evidence,
} from '../../serving/checks/types';
import type { CachePolicy } from '../../spec/cache-policy';
import type { SiblingName } from '../../spec/kinds/recall-gap';
import type { LoadedSibling } from '../../transformer/load/sibling';
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
  /** The context stands twice in the prompt, which `share` is then a share of (JRT). */
  readonly readsTwice?: boolean;
  /** A name of `policyOptions` or `change`, so that arms can be told apart. */
  readonly variant?: string;
  /** The preset with a part changed. */
  readonly change?: (policy: CachePolicy) => CachePolicy;
  readonly policyOptions?: (model: Transformer) => PolicyOptions;
}

/** What an arm came to, over its contexts. */
export interface Measured {
  /** Contexts that it ran on. */
  readonly samples: number;
  /** Right answers, of all. */
  readonly accuracy: number;
  /** Whether each context was answered right: arms of one task are paired. */
  readonly right: readonly boolean[];
  /** Mean absolute difference of the logits after a question from those of the full cache in f16. */
  readonly logitError: number;
  /** The same of each context. */
  readonly logitErrors: readonly number[];
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

/** What a check runs on. */
export interface CheckGround {
  /** The shipped recall model, or one in the words of the tasks. */
  readonly model: Transformer;
  /** Those that the check asks for. */
  readonly siblings: ReadonlyMap<SiblingName, LoadedSibling>;
  readonly seed: number;
  /** Shared among the checks of a seed, so that the same arm is measured once. */
  readonly measure: Measure;
  /** Most contexts or texts of each kind; a check has its own number unless given. */
  readonly mostContexts?: number;
}

/** A cache policy, or a way to decode, held against what it is known by, on the shipped models. */
export interface CacheCheck {
  /** Of the policy: `snapkv`. */
  readonly id: string;
  readonly title: string;
  readonly asks: string;
  /** What is expected, and who says so. */
  readonly rule: string;
  readonly evidence: Evidence;
  /** Siblings that it runs on besides the recall model. */
  readonly siblings?: readonly SiblingName[];
  run(ground: CheckGround): Generator<CheckProgress, CheckResult>;
}

export type { CheckFigure, CheckProgress, CheckResult, CheckSeries };
