import type { EvictionPart } from '../../spec/kinds/serve-eviction';
import { workflowVictim } from './workflow-lru';

/** What an eviction rule may know of a cached block. Read it, never keep or change it. */
export interface BlockView {
  /** Equal numbers mean the same tokens from the start of the sequence on. */
  readonly content: number;
  /** Tokens before it in its sequence, and in it. */
  readonly startTokens: number;
  readonly tokens: number;
  /** Requests that have used it, the one that made it included. */
  readonly uses: number;
  /** Order in which blocks were made, and were last let go of. */
  readonly createdOrder: number;
  readonly releasedOrder: number;
  /** Session that used it last: its program, or the request alone. */
  readonly owner: number;
}

/** Order in which cached blocks that nobody holds go: the smallest key first, ties by release. */
export interface EvictionOrder {
  readonly key: (block: BlockView) => number;
  /** Told the key of every victim: some orders age by it. */
  readonly onEvicted: (key: number) => void;
  /** Whether a key may change while nothing happens to the block. */
  readonly isMoving: boolean;
  /** Whether blocks go whatever follows them, the first of a sequence first. */
  readonly takesHeads?: boolean;
  /** Where no key of one block says it: the one to go of those that may. */
  readonly choose?: ((blocks: Iterable<BlockView>) => BlockView | undefined) | undefined;
}

/** What is known of a session that has KV and does not run. */
export interface SessionView {
  /** When its last turn ended. */
  readonly lastEndSeconds: number;
  /** No turn follows, or the next one waits already. */
  readonly isOver: boolean;
  readonly isBack: boolean;
  /** Gaps seen of the tool that it has called. */
  readonly gapsSeconds: readonly number[];
}

export interface EvictionContext {
  /** Seconds to compute so many tokens again behind those before them. */
  readonly recomputeSeconds: (startTokens: number, tokens: number) => number;
  /** Place in the order of arrival of the next request that has this content; Infinity for none. */
  readonly nextUse: (content: number) => number;
  readonly nowSeconds: () => number;
  readonly session: (owner: number) => SessionView;
}

const still = { onEvicted: () => undefined, isMoving: false };

/**
 * `lru`, `lfu` and `fifo` as in the textbook. `gdsf` is Greedy-Dual-Size-Frequency (Cherkasova, 1998)
 * with the time to compute a block again as its cost, as RAGCache weighs it: key = clock + uses x
 * seconds / block, the clock being the key of the last victim. `belady` looks into the future: the
 * block whose next request is farthest goes first. `ttl` and `utility-ttl` pin; what is not pinned
 * goes by `lru`.
 */
export function eviction(part: EvictionPart, context: EvictionContext): EvictionOrder {
  switch (part.type) {
    case 'lru':
    case 'ttl':
    case 'utility-ttl':
    case 'tool-ttl':
      return { ...still, key: (block) => block.releasedOrder };
    case 'lfu':
      return { ...still, key: (block) => block.uses };
    case 'fifo':
      return { ...still, key: (block) => block.createdOrder };
    case 'gdsf': {
      let clock = 0;
      return {
        key: ({ uses, startTokens, tokens }) =>
          clock + uses * context.recomputeSeconds(startTokens, tokens),
        onEvicted(key) {
          clock = key;
        },
        isMoving: false,
      };
    }
    case 'lru-heads':
      return { ...still, key: (block) => block.releasedOrder, takesHeads: true };
    case 'workflow-lru':
      return { ...still, key: () => 0, choose: workflowVictim(part, context) };
    case 'belady':
      return { ...still, key: (block) => -context.nextUse(block.content), isMoving: true };
  }
}
