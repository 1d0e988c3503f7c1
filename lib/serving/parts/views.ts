import type { RequestLimits } from '../../workload/types';

/** What a decision may know of a replica. Read it, never keep or change it. */
export interface InstanceView {
  readonly index: number;
  readonly blockTokens: number;
  readonly blocksTotal: number;
  readonly blocksUsed: number;
  readonly watermarkBlocks: number;
  /** Blocks promised to the requests inside, where the admission rule promises any. */
  readonly committedBlocks: number;
  /** Requests that hold blocks. */
  readonly holders: number;
  readonly decodingCount: number;
  readonly prefillingCount: number;
  /** Requests preempted to host memory. */
  readonly swapped: { readonly length: number };
  /** Decode iterations since the batch former last looked at the queue. */
  readonly waited: number;
  /** Requests routed here and not finished here, and their unfinished prompt and output tokens. */
  readonly outstanding: number;
  readonly outstandingTokens: number;
  /** Blocks in use or cached, where the replica has a cache. */
  readonly keptBlocks?: number;
}

/** Columns of what is known of a request before it has run; `prefillTokens` grows with a restart. */
export interface RequestView {
  readonly arrivalSeconds: Float64Array;
  readonly prefillTokens: Int32Array;
  readonly totalTokens: Int32Array;
  /** Whose request it is; one client where the workload names none. */
  readonly clientIds: Int32Array;
  /** First send of the program of a request, known once it is sent; absent without programs. */
  readonly programStartSeconds?: Float64Array;
  /** By when what is due, where the workload says so. */
  readonly limits?: RequestLimits | undefined;
}

export const blocksOf = (tokens: number, blockTokens: number): number =>
  Math.ceil(tokens / blockTokens);

/** By when something of a request is due: its first token, or all of it; Infinity for no limit. */
export const firstLimit = (limits: RequestLimits, id: number): number =>
  Math.min(limits.firstTokenSeconds[id] as number, limits.lastTokenSeconds[id] as number);
