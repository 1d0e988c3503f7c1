import { admitBlocks, canAdmit, pushBatch, pushRunning, sortRunning } from '../core/replica';
import { keepRunning, scheduleDecode } from './decode-step';
import type { BatchFormer } from './policy';

export interface SarathiOptions {
  /** Tokens per iteration, decodes included; decodes are never held back by it. */
  readonly tokenBudget: number;
  readonly maxSequences: number;
}

/**
 * Sarathi-Serve (Agrawal et al., 2024; rules as in Vidur's `sarathi` scheduler): every running
 * decode gets its token first, then unfinished prefills and then waiting requests share what is
 * left of the token budget, in chunks. Blocks of the whole prompt are taken at admission.
 */
export function sarathiFormer({ tokenBudget, maxSequences }: SarathiOptions): BatchFormer {
  let unfinished = new Int32Array(64);
  return (replica, context) => {
    const { requests } = context;
    const { prefillTokens, processed, isPrefilled } = requests;
    let unfinishedCount = 0;
    let next = 0;
    let end = replica.runningCount;
    while (next < end && replica.batchCount < maxSequences) {
      const id = replica.running[next++] as number;
      if (isPrefilled[id] === 1) {
        end = scheduleDecode(replica, context, id, next, end);
      } else {
        if (unfinishedCount === unfinished.length) {
          const larger = new Int32Array(unfinished.length * 2);
          larger.set(unfinished);
          unfinished = larger;
        }
        unfinished[unfinishedCount++] = id;
      }
    }

    let used = replica.batchCount;
    let skipped = 0;
    for (let i = 0; i < unfinishedCount; i++) {
      const id = unfinished[i] as number;
      const left = (prefillTokens[id] as number) - (processed[id] as number);
      const chunk = Math.max(0, Math.min(left, tokenBudget - used));
      if (chunk === 0) {
        unfinished[skipped++] = id;
        continue;
      }
      pushBatch(replica, id, chunk);
      used += chunk;
    }
    keepRunning(replica, next, end);
    for (let i = 0; i < skipped; i++) pushRunning(replica, unfinished[i] as number);
    sortRunningSkippedFirst(skipped);

    const { waiting } = replica;
    while (waiting.length > 0) {
      const id = waiting.at(0);
      if (replica.holders === maxSequences || replica.batchCount === maxSequences) break;
      if (!canAdmit(replica, prefillTokens[id] as number)) break;
      const chunk = Math.max(0, Math.min(prefillTokens[id] as number, tokenBudget - used));
      if (chunk === 0) break;
      waiting.popFront();
      admitBlocks(replica, requests, id, prefillTokens[id] as number);
      pushBatch(replica, id, chunk);
      used += chunk;
    }

    /** The list is skipped, then not popped; among equal arrivals that order is kept. */
    function sortRunningSkippedFirst(count: number): void {
      if (count > 0 && count < replica.runningCount) {
        const rest = replica.runningCount - count;
        const moved = replica.running.slice(rest, replica.runningCount);
        replica.running.copyWithin(count, 0, rest);
        replica.running.set(moved, 0);
      }
      sortRunning(replica, requests);
    }
  };
}
