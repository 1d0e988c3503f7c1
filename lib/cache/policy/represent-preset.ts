import type { CacheBudget, CachePolicyInput } from '../../spec/cache-policy';
import type { TransformerConfig } from '../../transformer/types';

/** A published way to hold slots in another form, as a policy. */
export interface RepresentPreset {
  readonly id: string;
  readonly label: string;
  readonly source: string;
  readonly defaults: string;
  /**
   * What the budget is of: `slots` that are kept as they are, `numbers` that are left of each slot,
   * or nothing, where the bytes are the form's own and read back.
   */
  readonly budget: 'slots' | 'numbers' | 'none';
  /**
   * @param share of the context's slots or numbers that the budget comes to, 0..1
   * @param config groups of channels are made to divide it
   */
  policy(
    share: number,
    budget: CacheBudget,
    config: Pick<TransformerConfig, 'headSize' | 'kvHeads'>,
  ): CachePolicyInput;
}

export const WHOLE: CacheBudget = { type: 'ratio', share: 1 };
/** H2O's choice: half heavy hitters, half recent. */
export const heavyHitters = {
  scorer: { type: 'attention', queries: 'all' },
  selector: { recent: { type: 'share', share: 0.5 } },
} as const;

/** The largest number that divides both. */
export function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
