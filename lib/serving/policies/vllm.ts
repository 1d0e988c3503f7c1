import { admitBlocks, canAdmit, pushBatch, type Replica, sortRunning } from '../core/replica';
import { keepRunning, scheduleDecode } from './decode-step';
import type { BatchFormer, PolicyContext } from './policy';

export interface VllmOptions {
  readonly maxBatchedTokens: number;
  readonly maxSequences: number;
  /** Vidur's rule to the letter: a prompt above the token limit blocks the queue for ever. */
  readonly parity: boolean;
}

/**
 * vLLM V0 (Kwon et al., 2023; rules as in Vidur's `vllm` scheduler): a prefill-only batch when any
 * waiting request can be admitted, else one token for every running request. The token limit
 * counts padded tokens, (requests + 1) x longest prompt. A prompt longer than the limit runs alone,
 * since vLLM would not start with a limit below the model's length.
 */
export function vllmFormer(options: VllmOptions): BatchFormer {
  return (replica, context) => {
    prefillBatch(replica, context, options);
    if (replica.batchCount === 0) decodeBatch(replica, context, options.maxSequences);
  };
}

function prefillBatch(replica: Replica, { requests }: PolicyContext, options: VllmOptions): void {
  const { waiting } = replica;
  let longest = 0;
  while (waiting.length > 0) {
    const id = waiting.at(0);
    const tokens = requests.prefillTokens[id] as number;
    if (!canAdmit(replica, tokens)) break;
    const padded = (replica.batchCount + 1) * Math.max(longest, tokens);
    const runsAlone = replica.batchCount === 0 && !options.parity;
    if (padded > options.maxBatchedTokens && !runsAlone) break;
    if (replica.holders === options.maxSequences) break;
    if (replica.batchCount === options.maxSequences) break;
    waiting.popFront();
    admitBlocks(replica, requests, id, tokens);
    pushBatch(replica, id, tokens);
    longest = Math.max(longest, tokens);
  }
}

/** One token for every running request, oldest first; shared with the decode pool of DistServe. */
export function decodeBatch(replica: Replica, context: PolicyContext, maxSequences: number): void {
  sortRunning(replica, context.requests);
  let next = 0;
  let end = replica.runningCount;
  while (next < end && replica.batchCount < maxSequences) {
    const id = replica.running[next++] as number;
    end = scheduleDecode(replica, context, id, next, end);
  }
  keepRunning(replica, next, end);
}
