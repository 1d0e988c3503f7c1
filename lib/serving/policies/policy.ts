import type { Replica } from '../core/replica';
import type { Requests } from '../core/requests';

/** What a batch former may touch. */
export interface PolicyContext {
  readonly requests: Requests;
  /** Frees a running request's blocks and sends it back to be computed again. */
  preempt(replica: Replica, id: number): void;
}

/** Fills `replica.batchIds` and `batchTokens` for one iteration; leaving them empty means: nothing to run. */
export type BatchFormer = (replica: Replica, context: PolicyContext) => void;
