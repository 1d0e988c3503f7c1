import type { ComposeParams } from '../../spec/kinds/compose';
import type { AdapterInfo, AttentionError, AttentionTiming } from '../types';
import type { HeadClass } from './head-classes';

/** One call of a kernel: a part, or a piece of it whose keys are encoded alike. */
export interface ComposeCallResult {
  readonly name: string;
  readonly medianSeconds: number;
  readonly flops: number;
  /** Unmasked query-key pairs over all pairs. */
  readonly density: number;
  /** Against f64 attention over the call's own f32 tensors; undefined where that is what ran. */
  readonly error: AttentionError | undefined;
  /** Of the roof that binds it; undefined where none was measured. */
  readonly percentOfRoof?: number | undefined;
  /** Mean over rows of the softmax mass on the call's keys; undefined where calls share no softmax. */
  readonly meanMass: number | undefined;
}

/** An output against its reference; compositions have no log-sum-exp in general. */
export type ComposeError = Omit<AttentionError, 'lseMaxAbs'>;

/** A distance between outputs over the checked rows, relative L2, per query head. */
export interface OutputDistance {
  readonly name: string;
  readonly perHead: readonly number[];
}

/** Two ways to the same numbers. */
export interface ComposeLaw {
  readonly name: string;
  readonly maxAbs: number;
  readonly tolerance: number;
  readonly holds: boolean;
}

/** Share of the softmax mass per query, mean over heads and batch entries, in bins of queries. */
export interface MassByQuery {
  readonly names: readonly string[];
  /** Position of each bin's first query among the keys. */
  readonly positions: Float64Array;
  /** [names, positions]; a bin sums to 1, or to 0 where its queries see no key. */
  readonly shares: Float64Array;
}

export interface ComposeHead {
  readonly head: number;
  /** Of the head's KV head; undefined without a gate. */
  readonly gate: number | undefined;
  readonly headClass: HeadClass | undefined;
  /** Mean mass outside the second part's keys: what classes are decided by. */
  readonly massOutside: number | undefined;
  /** Keys that the last query still sees over all keys. */
  readonly keptKeysShare: number;
}

/** KV cache of one layer, 2 bytes per element. */
export interface CacheBytes {
  readonly name: string;
  readonly bytesPerToken: number;
}

export interface ComposeResult {
  readonly params: ComposeParams;
  readonly engine: 'webgpu' | 'wasm' | 'cpu';
  readonly engineNote: string | undefined;
  readonly adapter: AdapterInfo | undefined;
  /** The calls one after another; composing them is apart. */
  readonly timing: AttentionTiming;
  readonly calls: readonly ComposeCallResult[];
  /** Time of the composition in TypeScript on one thread, from outputs and log-sum-exps. */
  readonly composeSeconds: number;
  /** All parts as one call of the kernel, where they can be one. */
  readonly oneCallSeconds: number | undefined;
  /** Against the composition in f64 from tensors that were never rounded. */
  readonly error: ComposeError;
  readonly distances: readonly OutputDistance[];
  readonly laws: readonly ComposeLaw[];
  /** Pairs of full attention that no part sees, over its pairs; undefined where parts overlap by design. */
  readonly missingShare: number | undefined;
  readonly mass: MassByQuery | undefined;
  readonly heads: readonly ComposeHead[];
  readonly cacheBytes: readonly CacheBytes[];
  readonly notes: readonly string[];
}
