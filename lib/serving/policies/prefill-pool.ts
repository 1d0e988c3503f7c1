import { admitBlocks, canAdmit, pushBatch } from '../core/replica';
import type { BatchFormer } from './policy';

export interface PrefillPoolOptions {
  readonly maxPrefillTokens: number;
  readonly maxPrefillSequences: number;
}

/**
 * Prefill instance of DistServe (Zhong et al., 2024): first come first served, whole prompts,
 * limited by requests, tokens and blocks; blocks of finished requests that were not pulled yet
 * count, because the KV stays here until its transfer ends. A prompt above the token limit runs alone.
 */
export function prefillPoolFormer(options: PrefillPoolOptions): BatchFormer {
  return (replica, { requests }) => {
    const { waiting } = replica;
    let tokensInBatch = 0;
    while (waiting.length > 0 && replica.batchCount < options.maxPrefillSequences) {
      const id = waiting.at(0);
      const tokens = requests.prefillTokens[id] as number;
      if (replica.batchCount > 0 && tokensInBatch + tokens > options.maxPrefillTokens) break;
      if (!canAdmit(replica, tokens)) break;
      waiting.popFront();
      admitBlocks(replica, requests, id, tokens);
      pushBatch(replica, id, tokens);
      tokensInBatch += tokens;
    }
  };
}
