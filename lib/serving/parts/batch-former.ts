import type { BatchFormerPart } from '../../spec/kinds/serve-parts';
import type { InstanceView } from './views';

/** One attempt at an iteration: which phases it may have. */
export interface BatchPlan {
  /** Every running request that has finished its prefill gets one token. */
  readonly decodes: boolean;
  /** Prompts that have begun go on. */
  readonly continues: boolean;
  /** Waiting requests may enter. */
  readonly admits: boolean;
  /** Tokens of the iteration, decodes included. */
  readonly tokenLimit: number;
  /** Whether every prompt counts as long as the longest one. */
  readonly isPadded: boolean;
}

/**
 * Attempts in order: the first that yields a batch is the iteration. A pure function of the view, so
 * that an iteration which changes nothing in the view would be formed alike again.
 */
export interface BatchFormer {
  readonly plans: (view: InstanceView) => readonly BatchPlan[];
  /** Decode iterations between two looks at the queue; 0 looks every time. */
  readonly patience: number;
  /** Blocks of finished requests return when the whole batch has finished. */
  readonly holdsUntilEmpty: boolean;
  /** Whose places go to a window of like prompt lengths: how near the best its members must be. */
  readonly candidateShare?: number;
}

const plan = (overrides: Partial<BatchPlan>): BatchPlan => ({
  decodes: false,
  continues: false,
  admits: false,
  tokenLimit: Infinity,
  isPadded: false,
  ...overrides,
});

const DECODE_ONLY = [plan({ decodes: true })];

/** The plans of a batch former; see `batchFormerPart` for the rules and the presets for their sources. */
export function batchFormer(part: BatchFormerPart): BatchFormer {
  switch (part.type) {
    case 'prefill-first': {
      const { patience } = part;
      const prefill = plan({
        continues: true,
        admits: true,
        tokenLimit: part.maxBatchedTokens,
        isPadded: part.counting === 'padded',
      });
      const either = [prefill, ...DECODE_ONLY];
      return {
        plans: ({ waited, decodingCount }) =>
          patience === 0 || waited >= patience || decodingCount === 0 ? either : DECODE_ONLY,
        patience,
        holdsUntilEmpty: false,
      };
    }
    case 'length-window':
    case 'decode-first': {
      const all = [
        plan({ decodes: true, continues: true, admits: true, tokenLimit: part.tokenBudget }),
      ];
      const former = { plans: () => all, patience: 0, holdsUntilEmpty: false };
      return part.type === 'decode-first'
        ? former
        : { ...former, candidateShare: part.candidateShare };
    }
    case 'iteration-level': {
      const all = [plan({ decodes: true, continues: true, admits: true })];
      return { plans: () => all, patience: 0, holdsUntilEmpty: false };
    }
    case 'static': {
      const running = [plan({ decodes: true, continues: true })];
      const fresh = [plan({ admits: true })];
      return {
        plans: ({ decodingCount, prefillingCount, swapped }) =>
          decodingCount + prefillingCount + swapped.length > 0 ? running : fresh,
        patience: 0,
        holdsUntilEmpty: true,
      };
    }
  }
}

/** A pool of one phase: the token limit of the former, without the other phase. */
export function prefillOnly(part: BatchFormerPart): BatchFormer {
  const limit =
    part.type === 'prefill-first'
      ? { tokenLimit: part.maxBatchedTokens, isPadded: part.counting === 'padded' }
      : part.type === 'decode-first' || part.type === 'length-window'
        ? { tokenLimit: part.tokenBudget }
        : {};
  const plans = [plan({ continues: true, admits: true, ...limit })];
  return { plans: () => plans, patience: 0, holdsUntilEmpty: false };
}

export const DECODE_POOL: BatchFormer = {
  plans: () => DECODE_ONLY,
  patience: 0,
  holdsUntilEmpty: false,
};
