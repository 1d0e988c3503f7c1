import type { Protocol } from '../cache/types';
import type { TalliedShare } from '../stats/tally';
import type { Interval } from '../stats/wilson';
import type { StepTally } from '../transformer/types';

/** How a task is asked of a cache: plain data, the same for every policy. */
export interface AskPlan {
  readonly taskId: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly contextTokens: number;
  readonly seed: number;
  /** Contexts; each is one sample. */
  readonly samples: number;
  readonly protocol: Protocol;
  /** With `turns`: answers stay in the cache, instead of being rewound before the next question. */
  readonly answersStay: boolean;
}

/** One answer, judged. */
export interface JudgedAnswer {
  /** Which question of the context, from 0. */
  readonly turn: number;
  readonly kind: string;
  readonly depth: number;
  readonly offset?: number;
  readonly isRight: boolean;
  /** Answer tokens that were right, of `tokens`. */
  readonly rightTokens: number;
  readonly tokens: number;
}

/** What a cache held after it was compressed, in bytes of real buffers. */
export interface HeldBytes {
  /** Keys and values, or what stands for them, on the device. */
  readonly payload: number;
  /** Scales, indices, factors, summaries and positions on the device. */
  readonly overhead: number;
  /** All of it in host memory. */
  readonly host: number;
  /** What the full cache in f16 holds of the same tokens. */
  readonly full: number;
  readonly slots: number;
  readonly fullSlots: number;
  readonly tokensSeen: number;
}

/** One context, run: plain data of a few hundred bytes. */
export interface SampleOutcome {
  readonly index: number;
  readonly answers: readonly JudgedAnswer[];
  /** Loss of the scored tokens and their true surprisal, in nats, summed. */
  readonly loss?: {
    readonly lossNats: number;
    readonly entropyNats: number;
    readonly tokens: number;
  };
  readonly held: HeldBytes;
  readonly movedBytes: number;
  readonly recomputedTokenLayers: number;
  /** Of the tokens computed again: 2 per weight of the layers they ran through, attention apart. */
  readonly recomputedFlops: number;
  /** Tokens that were run after the context: of questions, and of answers but for the last. */
  readonly askedTokens: number;
  readonly prefillSeconds: number;
  readonly askSeconds: number;
  /** Steps of the model by where they ran, of an engine with a device. */
  readonly ran?: StepTally;
  /** Why they did not run where they were to. */
  readonly problem?: string;
}

export interface KeyedShare<K> extends TalliedShare {
  readonly key: K;
}

/** Results so far; the same data when it is all there. */
export interface Evaluation {
  readonly plan: AskPlan;
  /** Contexts run. */
  readonly samplesDone: number;
  /** Answers that are right whole; absent for tasks that are scored by their loss. */
  readonly accuracy?: TalliedShare & { readonly designEffect: number };
  /** Share of answer tokens that are right. */
  readonly tokenAccuracy?: number;
  /** Probability that a guess of the right form is right. */
  readonly chance: number;
  readonly byKind: readonly KeyedShare<string>[];
  /** Keys are the tenths of the context, by their start. */
  readonly byDepth: readonly KeyedShare<number>[];
  /** Keys count questions from 1. */
  readonly byTurn: readonly KeyedShare<number>[];
  readonly byOffset: readonly KeyedShare<number>[];
  /** Mean loss above the true surprisal, in nats per token, and the true surprisal itself. */
  readonly lossGapNats?: Interval & { readonly mean: number; readonly entropyNats: number };
  readonly bytesPerToken: {
    readonly payload: number;
    readonly overhead: number;
    readonly host: number;
    /** The full cache in f16. */
    readonly full: number;
  };
  /** Bytes held, host memory too, against the full cache in f16. */
  readonly byteRatio: number;
  /** Slots held against tokens times layers times KV heads. */
  readonly slotRatio: number;
  readonly movedBytesPerSample: number;
  /** For every token that was run after the context. */
  readonly movedBytesPerToken: number;
  readonly recomputedTokenLayersPerSample: number;
  readonly recomputedFlopsPerSample: number;
  /** Summed over samples, whichever thread they ran in. */
  readonly prefillSeconds: number;
  readonly askSeconds: number;
  /** Steps of the model by where they ran; absent where no engine has a device. */
  readonly ran?: StepTally;
  /** Why steps did not run where they were to, each once. */
  readonly problems?: readonly string[];
}
