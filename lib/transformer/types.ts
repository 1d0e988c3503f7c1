import type { RopeScaling } from '../attention/position/rope-frequencies';

/** Families that share the Llama block: pre-norm, RoPE, GQA, SwiGLU. */
export type Architecture = 'llama' | 'mistral' | 'qwen2' | 'qwen3';

/** The shape of a decoder. Read from a model's `config.json` by `readConfig`. */
export interface TransformerConfig {
  readonly architecture: Architecture;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  /** Query heads, a multiple of `kvHeads`. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabularySize: number;
  readonly normEpsilon: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  /** The output head is the embedding. */
  readonly tiedHead: boolean;
  /** Biases of the q, k and v projections (Qwen2). */
  readonly qkvBias: boolean;
  /** RMSNorm of every query and key head before RoPE (Qwen3). */
  readonly qkNorm: boolean;
  readonly maxPositions: number;
  readonly bosToken?: number;
  readonly eosTokens: readonly number[];
}

/** Weights of one layer; matrices are [outputs, inputs], row-major, as safetensors files hold them. */
export interface LayerWeights {
  readonly attentionNorm: Float32Array;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly o: Float32Array;
  readonly qBias?: Float32Array;
  readonly kBias?: Float32Array;
  readonly vBias?: Float32Array;
  /** [headSize], with `qkNorm`. */
  readonly qNorm?: Float32Array;
  readonly kNorm?: Float32Array;
  readonly mlpNorm: Float32Array;
  readonly gate: Float32Array;
  readonly up: Float32Array;
  readonly down: Float32Array;
}

export interface TransformerWeights {
  /** [vocabularySize, hiddenSize] */
  readonly embedding: Float32Array;
  readonly layers: readonly LayerWeights[];
  readonly finalNorm: Float32Array;
  /** [vocabularySize, hiddenSize]; absent where it is the embedding. */
  readonly head?: Float32Array;
}

/** Keys and values that a query attends to in one softmax. */
export interface AttentionPart {
  readonly count: number;
  /** Rotated keys, [count, headSize]. */
  readonly keys: Float32Array;
  /** [count, headSize] */
  readonly values: Float32Array;
  /** Text position of every slot, [count]: a query at position p sees slots at p and before. */
  readonly positions: Int32Array;
  /** Added to the score, [count]: log of how many tokens a slot stands for. */
  readonly logMultiplicity?: Float32Array;
  /** Divides the scores of this part; 1 unless given. */
  readonly temperature?: number;
  /** Multiplies this part's log-sum-exp before the parts are merged; 1 unless given. */
  readonly lseScale?: number;
}

/** Rows that a layer has projected, on their way into the cache. */
export interface ProjectedRows {
  readonly rows: number;
  /** Before RoPE, [rows, heads, headSize]. */
  readonly queries: Float32Array;
  /** Before RoPE, [rows, kvHeads, headSize]. */
  readonly keys: Float32Array;
  /** [rows, kvHeads, headSize] */
  readonly values: Float32Array;
  /** Place of each row's token in the text, [rows]. */
  readonly positions: Int32Array;
  /** Token ids, [rows]. */
  readonly tokens: Int32Array;
}

/** One query row as a cache sees it that chooses slots per query. */
export interface QueryRow {
  /** Rotated queries of the heads that share the KV head, [heads / kvHeads, headSize]. */
  readonly queries: Float32Array;
  readonly position: number;
}

/** Attention weights of one chunk over one part, for caches that score slots by them. */
export interface AttendedRows {
  readonly layer: number;
  readonly kvHead: number;
  readonly part: number;
  readonly rows: number;
  readonly count: number;
  /** Softmax weights over all parts together, [rows, heads / kvHeads, count]. */
  readonly weights: Float32Array;
  readonly positions: Int32Array;
}

/** RoPE indices that rows get when they are appended, [rows]. */
export interface RowIndices {
  /** As slots. */
  readonly keys: Int32Array;
  /** As queries, once they are slots. */
  readonly queries: Int32Array;
}

/**
 * What an engine asks that keeps a copy of a cache's slots and asks for nothing between layers: it
 * appends rows to its copy as the cache will, and hands them to `append` (and weights to `observe`),
 * layer after layer, once all have run.
 */
export interface CopiedSlots {
  /** What the numbers of appended rows are rounded to. */
  readonly storage: 'f32' | 'f16';
  /** Text positions of a head's slots, [slots]. */
  positions(layer: number, kvHead: number): Int32Array;
  /**
   * Indices that all rows at these positions get, after the slots there are; undefined where they
   * would move other slots, or do not come after them.
   */
  indicesOf(layer: number, kvHead: number, positions: Int32Array): RowIndices | undefined;
  /** Says that the copy of a head is as the head is now; what it returns stands for that moment. */
  mark(layer: number, kvHead: number): number;
  /** Leading slots that are as they were at a mark; 0 where it is not the head's last. */
  same(layer: number, kvHead: number, mark: number): number;
}

/**
 * What a transformer asks of its KV cache. Keys are kept before RoPE by the cache and rotated on
 * read, so that a policy can move a slot to another position exactly.
 */
export interface AttentionCache {
  /** Takes the keys and values of a chunk, after `forward` projected them and before it attends. */
  append(layer: number, rows: ProjectedRows): void;
  /** RoPE index of a query at a text position. */
  queryIndex(layer: number, kvHead: number, position: number): number;
  /** What a query attends to; `query` is given when `perQuery`. */
  parts(layer: number, kvHead: number, query?: QueryRow): readonly AttentionPart[];
  /** Slots are chosen for every query row on its own (Quest and other retrieval). */
  readonly perQuery: boolean;
  /** Called with the weights of every chunk where present. */
  observe?(attended: AttendedRows): void;
  /**
   * Where present, an engine may keep a copy of the slots. `parts` then gives one part without
   * temperature, and `append` reads no queries.
   */
  readonly copied?: CopiedSlots;
}

/** What a run through the layers may be asked to report or change. */
export interface ForwardHooks {
  /**
   * The hooks write nothing, prune no rows and do not look at `hidden`, which may then be empty: they
   * may be called once all layers have run, in the same order.
   */
  readonly onlyRead?: true;
  /** After the projections of a layer. */
  onProjected?(layer: number, rows: ProjectedRows): void;
  /**
   * After a layer, with the residual stream [rows, hiddenSize]. Returned row indices, ascending,
   * are the only rows that go on to the next layer (token pruning).
   */
  onLayerEnd?(layer: number, hidden: Float32Array, rows: number): Int32Array | undefined;
}

export interface ForwardStep {
  readonly tokens: ArrayLike<number>;
  /** Place of each token in the text, [tokens], ascending. */
  readonly positions: ArrayLike<number>;
  readonly cache: AttentionCache;
  readonly hooks?: ForwardHooks;
  /** First layer to run, with `hidden` its input [tokens, hiddenSize]; 0 and the embeddings unless given. */
  readonly fromLayer?: number;
  readonly hidden?: Float32Array;
  /** One past the last layer to run; all unless given. */
  readonly toLayer?: number;
  /** Which rows get logits: the last by default. */
  readonly logits?: 'last' | 'all' | 'none';
}

export interface ForwardResult {
  /** [rows with logits, vocabularySize] */
  readonly logits: Float32Array;
  /** Residual stream after the last layer that ran, [rows left, hiddenSize], before the final norm. */
  readonly hidden: Float32Array;
  /** Rows of `tokens` that are left in `hidden`. */
  readonly rows: Int32Array;
}

/** Steps of a model by where they ran. */
export interface StepTally {
  /** All layers on a device, over slots that it holds. */
  readonly held: number;
  /** Products on a device, the cache asked between the layers. */
  readonly layered: number;
  /** On the CPU. */
  readonly cpu: number;
}

/** A loaded model. */
export interface Transformer {
  readonly config: TransformerConfig;
  readonly weights: TransformerWeights;
  /** What computes: shown with results. */
  readonly engine: 'reference' | 'wasm' | 'webgpu';
  forward(step: ForwardStep): ForwardResult;
  /**
   * The same on a device whose results must be waited for; absent where there is none. Calls run one
   * after another; the cache and the hooks are called as in `forward`, between waits, or after the
   * only one where the cache's slots are copied and the hooks only read.
   */
  forwardAsync?(step: ForwardStep): Promise<ForwardResult>;
  /** Steps since the start, of an engine with a device. */
  tally?(): StepTally;
}
