import type { ModelSteps } from '../transformer/model-steps';
import type { Transformer } from '../transformer/types';

/** What a real buffer of a cache is for; every byte a cache holds is under one of these. */
export type BufferRole = 'payload' | 'scales' | 'indices' | 'factors' | 'summaries' | 'positions';

/** Where a buffer lies. Host memory stands for anything that must be moved before it is attended to. */
export type Tier = 'device' | 'host';

/** Bytes of one layer by what they are for: sums of the real buffers' byte lengths. */
export interface LayerBytes {
  readonly layer: number;
  readonly tier: Tier;
  readonly bytes: Readonly<Record<BufferRole, number>>;
}

/** What a cache holds now. */
export interface ByteLedger {
  readonly layers: readonly LayerBytes[];
  /** Slots held, [layers][kvHeads]; ragged. */
  readonly slots: readonly (readonly number[])[];
  /** Text tokens that went in. */
  readonly tokensSeen: number;
  /** Bytes moved between tiers since the context was compressed. */
  readonly movedBytes: number;
  /** Tokens times layers that were computed a second time. */
  readonly recomputedTokenLayers: number;
}

/**
 * Keys and values of one (layer, KV head), or of several, in a compressed form: the real buffers, and
 * how to read them back. Rows are slots.
 */
export interface Encoded {
  readonly slots: number;
  readonly headSize: number;
  readonly buffers: readonly {
    readonly role: BufferRole;
    readonly data: ArrayBufferView;
    /** Where it lies, if not where the rows do. */
    readonly tier?: Tier;
  }[];
  /** Pre-RoPE keys, [slots, headSize]. */
  decodeKeys(): Float32Array;
  /** [slots, headSize] */
  decodeValues(): Float32Array;
}

/** When the question is known, and what a question after the first finds. */
export type Protocol = 'known' | 'hidden' | 'turns';

/** One slot as a view shows it. */
export interface SlotView {
  /** Text position of the token it holds, the first where several were merged. */
  readonly position: number;
  /** Tokens it stands for. */
  readonly multiplicity: number;
  readonly state: 'kept' | 'merged' | 'quantised' | 'projected' | 'offloaded';
  readonly bytes: number;
  /** The score that decided about it, where the policy has one. */
  readonly score?: number;
}

/** A text, and the tokens that were taken out of it and put in to make a context of it. */
export interface EarlierText {
  readonly before: readonly number[];
  readonly start: number;
  readonly removed: number;
  readonly inserted: readonly number[];
}

/** `prefill` and `ask` of a session as steps, for engines that must be waited for. */
export interface SessionSteps {
  prefill(...args: Parameters<CacheSession['prefill']>): ModelSteps<void>;
  ask(...args: Parameters<CacheSession['ask']>): ModelSteps<number[]>;
}

/** A cache between a context and its questions: what every policy offers the tasks. */
export interface CacheSession {
  /**
   * Runs the context through the model and compresses it as the policy says. With the protocol
   * `known` the question is in sight of the policy: it is run before the compression. A policy that
   * drops slots runs it again over what is left, so that the answer never comes from the dense pass.
   *
   * @param edit what made the context of an earlier text, for policies that keep that text's cache
   * @param chunkStarts first token of every separately encodable part, for policies that reuse chunks
   */
  prefill(
    context: readonly number[],
    options?: {
      readonly question?: readonly number[];
      readonly chunkStarts?: readonly number[];
      readonly edit?: EarlierText;
    },
  ): void;
  /**
   * Runs a question (skipped where `prefill` has run it) and decodes greedily up to `count` tokens or
   * a stop token. Decoding appends to the cache, and the policy may act on every append.
   */
  ask(question: readonly number[], count: number, stop: ReadonlySet<number>): number[];
  /** Where absent, the session calls `forward` itself. */
  readonly steps?: SessionSteps;
  /** Takes the cache back to where it was after `prefill`: the next question finds the context alone. */
  rewind(): void;
  ledger(): ByteLedger;
  /** Slots of one head, for the cache view. */
  slots(layer: number, kvHead: number): readonly SlotView[];
  /** Positions that were dropped in a head, ascending. */
  dropped(layer: number, kvHead: number): readonly number[];
}

/** Opens sessions over a model; one per policy and budget. */
export interface SessionFactory {
  readonly label: string;
  open(model: Transformer): CacheSession;
}
