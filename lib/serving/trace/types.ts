/** Why the request that was next in order could not go on when an iteration was formed. */
export type Blocker =
  /** Every seat (`maxSequences`) is taken. */
  | { readonly type: 'seats'; readonly taken: number; readonly limit: number }
  /** Its KV blocks, and those that must stay free beside them, are not there. */
  | {
      readonly type: 'blocks';
      readonly needed: number;
      readonly free: number;
      readonly total: number;
      /** Requests that hold the others. */
      readonly holders: number;
      /** Finished turns that hold some of them until their program goes on. */
      readonly pins?: number;
    }
  /** Its blocks are free, and promised to requests inside. */
  | {
      readonly type: 'reservation';
      readonly needed: number;
      readonly free: number;
      readonly total: number;
    }
  /** With it, a later iteration would need more than all blocks. */
  | { readonly type: 'future-peak'; readonly total: number }
  /** The tokens of the iteration went to others. */
  | {
      readonly type: 'budget';
      readonly limit: number;
      readonly decodeTokens: number;
      readonly promptTokens: number;
    }
  /** The batch former's rule let no prompt in: its batch runs on, or its patience is not over. */
  | { readonly type: 'phase'; readonly rule: 'batch-runs-on' | 'patience' | 'decodes-only' }
  /** Requests swapped to host memory come back first. */
  | { readonly type: 'swapped-first'; readonly count: number }
  /** The iteration took blocks from running requests, and one that does admits nobody. */
  | { readonly type: 'preempting' }
  /** A set of prompts goes through the layers, a group of them an iteration, and nobody joins it. */
  | {
      readonly type: 'layer-set';
      readonly group: number;
      readonly groups: number;
      readonly tokens: number;
    }
  /** A prompt that was stopped has less time to spare. */
  | { readonly type: 'urgency'; readonly by: number }
  /** With it, the first of the batch would keep too little time to spare. */
  | { readonly type: 'spare-time'; readonly of: number };

/** What a request does, or waits for, during one phase. */
export type Activity =
  /** The server reads and tokenises it (`frontEndMilliseconds`). */
  | { readonly kind: 'front-end' }
  /** No replica takes it: it waits in front of them and asks again. */
  | { readonly kind: 'outside' }
  /** The iteration under way must end before anything new begins. */
  | { readonly kind: 'iteration' }
  /** Idle time of the accelerator between two steps. */
  | { readonly kind: 'boundary' }
  | {
      readonly kind: 'queued';
      readonly blocker: Blocker | undefined;
      /** The request that is next in order, where it is another one. */
      readonly behind: number | undefined;
      /** Requests in this queue, this one counted. */
      readonly waiting: number;
      /** Set where it has run before and was preempted. */
      readonly isAgain: boolean;
    }
  | {
      readonly kind: 'prefill';
      readonly tokens: number;
      /** Tokens of its KV that were there before. */
      readonly context: number;
      /** Others in the iteration. */
      readonly decodes: number;
      readonly otherPromptTokens: number;
      /** The chunk that ends the prompt, and emits a token. */
      readonly isLast: boolean;
      /** Of `context`, what a cache or a store had when it entered. */
      readonly reusedTokens?: number;
      /** Of `tokens`, those of reused chunks that are computed again. */
      readonly repairTokens?: number;
      /** It was computed before and lost its KV. */
      readonly isAgain?: true;
      /** Goes on after it was stopped. */
      readonly isResumed?: true;
      /** Stopped before its end: the tokens count in the phase that ends it. */
      readonly isCut?: true;
      /** All of `tokens` go through one group of the layers; they count in the last. */
      readonly layers?: { readonly group: number; readonly groups: number };
      /** Of the iteration, what it lasted longer because cached KV was still being read. */
      readonly loadSeconds?: number;
      /** What it lasted longer because the decodes beside it had a share of the accelerator. */
      readonly slowedSeconds?: number;
    }
  /** The prompt has begun, and the iteration had no tokens for it. */
  | { readonly kind: 'paused'; readonly blocker: Blocker | undefined }
  | {
      readonly kind: 'decode';
      readonly tokens: number;
      /** Of its iterations, those that had prompts in them too. */
      readonly mixedIterations: number;
      /** Decodes in the first of them. */
      readonly batch: number;
      /** What they lasted longer because the prompts beside them had a share of the accelerator. */
      readonly slowedSeconds?: number;
    }
  /** It decodes, and the iterations were of prompts only. */
  | { readonly kind: 'stalled'; readonly promptTokens: number; readonly iterations: number }
  /** Its KV is in host memory. */
  | { readonly kind: 'swapped' }
  /** Its prompt was stopped at the end of an operator, for one with less time to spare. */
  | {
      readonly kind: 'stopped';
      readonly by: number | undefined;
      readonly doneSeconds: number;
      readonly wholeSeconds: number;
    }
  /** It holds its blocks, and a store is busy with reads of others. */
  | { readonly kind: 'fetch-queue'; readonly from: string }
  /** KV of its prompt is read into them. */
  | { readonly kind: 'fetch'; readonly from: string; readonly tokens: number }
  /** Prefilled; the decode replica has no place yet. */
  | {
      readonly kind: 'pull';
      readonly blocker: Blocker | undefined;
      readonly behind: number | undefined;
    }
  /** Other transfers hold the link. */
  | { readonly kind: 'link'; readonly ahead: number }
  | { readonly kind: 'transfer'; readonly kvTokens: number };

export type ActivityKind = Activity['kind'];

export interface TracePhase {
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Index among the lanes of the result; -1 where it is with none. */
  readonly lane: number;
  readonly activity: Activity;
}

/** When a request lost its KV, and to whom. */
export interface TracePreemption {
  readonly atSeconds: number;
  readonly cause: 'memory' | 'priority';
  /** The request that the room was made for. */
  readonly by: number | undefined;
  /** Tokens whose KV was dropped, or moved to host memory. */
  readonly tokens: number;
  readonly isSwap: boolean;
}

/** Why a request of a program was sent when it was. */
export interface TraceOrigin {
  /** The last of its predecessors to end, and when it did. */
  readonly after: number;
  readonly endedSeconds: number;
  /** The time that its program was away: a tool, or a reader. */
  readonly gapSeconds: number;
}

/** One request's way through a run: phases that touch, from its arrival to its end. */
export interface RequestTrace {
  readonly id: number;
  readonly arrivalSeconds: number;
  /** Completion; where it never completed, the last instant at which something is known of it. */
  readonly endSeconds: number;
  /** `unsent`: the run ended before it came. */
  readonly end: 'completed' | 'refused' | 'unfinished' | 'unsent';
  /** Why it was refused, where an engine says. */
  readonly refusal?: string | undefined;
  /** Of a request that others of its program precede. */
  readonly origin?: TraceOrigin | undefined;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly phases: readonly TracePhase[];
  readonly preemptions: readonly TracePreemption[];
}
