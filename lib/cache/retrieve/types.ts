import type { QueryRow, Transformer } from '../../transformer/types';
import type { HeadRows } from '../rows/head-rows';
import type { LayerQueries } from '../rows/window-attention';
import type { BufferRole } from '../types';

/** The rows of one (layer, KV head) of a context that is complete. */
export interface ContextHead {
  readonly layer: number;
  readonly kvHead: number;
  readonly headSize: number;
  /** Rows of the context; `rows` may go on with a question. */
  readonly count: number;
  readonly rows: HeadRows;
  /** Rows of every head, [layers][kvHeads]. */
  readonly all: readonly (readonly HeadRows[])[];
}

/** A buffer that an index keeps on the device. */
export interface IndexBuffer {
  readonly role: BufferRole;
  readonly data: ArrayBufferView;
}

/** A query, and what its token is of. */
export interface PhasedQuery extends QueryRow {
  readonly phase: 'question' | 'answer';
}

/** Finds the rows of one head that a query attends to. */
export interface HeadIndex {
  /** Rows of the context, ascending. */
  choose(query: PhasedQuery): Int32Array;
  /** Rows that lie on the device whatever is chosen, ascending. */
  readonly resident?: Int32Array;
  /** Rows that no query can come to: they need not be held at all. */
  readonly unreachable?: Int32Array;
  /** Keys as queries meet them where they are not those of the rows, [count, headSize]. */
  readonly keys?: Float32Array;
  readonly buffers: readonly IndexBuffer[];
  /** Forgets earlier queries. */
  reset?(): void;
}

/** Builds the indices of one context. */
export interface Retriever {
  /** Before-RoPE queries of the context's last rows are kept for it: [layers] of [rows, heads, headSize]. */
  readonly windowRows?: number;
  indexHead(head: ContextHead, window: readonly LayerQueries[]): HeadIndex;
  /** Buffers shared by the heads of a layer. */
  layerBuffers?(layer: number): readonly IndexBuffer[];
}

export interface RetrievalPolicy {
  readonly label: string;
  /** Keys and values of the context lie in host memory, and rows chosen are moved to the device. */
  readonly offload: boolean;
  /** What is moved of a row: both, or the values alone where keys are made on the device. */
  readonly moves: 'keys and values' | 'values';
  open(model: Transformer, contextTokens: number): Retriever;
}
