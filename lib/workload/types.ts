import type { WorkloadStatistics } from './statistics';

/**
 * What the tokens of the requests are, so far as a prefix cache needs to know: token ids, or hashes
 * that each stand for a block of tokens and everything before it. A request may have fewer ids than
 * tokens; what they do not cover is shared with nobody.
 */
export interface PromptContent {
  /** Tokens that one id stands for: 1 for token ids. */
  readonly tokensPerId: number;
  /** The ids of request i are `ids[offsets[i]]` up to `ids[offsets[i + 1]]`. */
  readonly offsets: Int32Array;
  readonly ids: Int32Array;
}

/**
 * Requests that come of other requests: the turns of a session, the steps of an agent with tool calls
 * between them, or a fork and a join. A request without predecessors is sent at its arrival time; any
 * other one `gapSeconds` after the last of its predecessors is complete, and its arrival time is then
 * only where it stands in the order (never before that of a predecessor).
 */
export interface RequestPrograms {
  /** Which program each request belongs to. */
  readonly programIds: Int32Array;
  /** The predecessors of request i are `predecessors[offsets[i]]` up to `predecessors[offsets[i + 1]]`, all below i. */
  readonly offsets: Int32Array;
  readonly predecessors: Int32Array;
  /** Time between the end of the last predecessor and the sending of the request: a tool call, a pause. */
  readonly gapSeconds: Float64Array;
  /** Kind of tool whose time the gap before each request is; one kind where left out. */
  readonly tools?: Int32Array;
}

/** What a request must keep to be of use: two times, one for all of it, or one for all of its group. */
export const LIMIT_KINDS = ['latency', 'deadline', 'collective'] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** Time limits of the requests, from when each is sent; Infinity where there is none. */
export interface RequestLimits {
  /** Places in `LIMIT_KINDS`. */
  readonly kinds: Uint8Array;
  /** Requests of one group are of use only together; one that is alone has a group of its own. */
  readonly groupIds: Int32Array;
  readonly firstTokenSeconds: Float64Array;
  readonly lastTokenSeconds: Float64Array;
}

/** Requests in arrival order, one column each. Arrival times are seconds from the first kept request. */
export interface Workload {
  readonly arrivalSeconds: Float64Array;
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  readonly content?: PromptContent | undefined;
  /** Smaller goes first, where the strategy looks at it; all equal when left out. */
  readonly priority?: Int32Array | undefined;
  /** Whose request it is, where the workload tells clients apart. */
  readonly clientIds?: Int32Array;
  /** Sessions, agents and graphs of requests; absent where every request comes on its own. */
  readonly programs?: RequestPrograms;
  /** By when what is due, where the workload says so. */
  readonly limits?: RequestLimits;
  /** Images of each request; the tokens that they become are part of its prompt. */
  readonly items?: Int32Array;
  /** What the requests are, in words: `600 requests, generated, Azure 2023 conversation lengths`. */
  readonly label: string;
  /** Where they come from: the file's name, or the statistics that the generator was fitted to. */
  readonly source: string;
  readonly seed: number;
  /** What the reader is shown of it; of the workload as it was made, not of one at another rate. */
  readonly statistics?: WorkloadStatistics;
  /** Rows that were read but not kept, with the reason; never silent. */
  readonly notes: readonly string[];
}
