import type { ModelId } from '../../spec/presets';

/** Measured times of one operator by its size (tokens or sequences). */
export interface SizeSamples {
  readonly sizes: readonly number[];
  readonly microseconds: readonly number[];
}

/** Measured times of one layer's attention; columns of equal length. */
export interface AttentionSamples {
  readonly prefillTokens: readonly number[];
  readonly prefillContext: readonly number[];
  /** Query-key pairs under the causal mask: chunk x (context + chunk / 2). */
  readonly pairs: readonly number[];
  readonly decodes: readonly number[];
  /** Mean context of the decodes. */
  readonly decodeContext: readonly number[];
  readonly microseconds: readonly number[];
}

/** Names of the token-sized operators of a layer, as profiles have them. */
export type LayerOperator = 'qkv' | 'attentionOutput' | 'gateUp' | 'down' | 'elementwise';

/** What each part is called where people read it. */
export const PART_NAMES = {
  qkv: 'query, key and value projection',
  attentionOutput: 'output projection',
  gateUp: 'gate and up projection',
  down: 'down projection',
  elementwise: 'norms, rotation and activation',
  once: 'embedding and last norm',
  head: 'output head and sampler',
} as const;

/** What every reader of tables ends with. */
export interface OperatorSamples {
  readonly label: string;
  readonly source: string;
  readonly model: ModelId | 'none';
  readonly layers: number;
  readonly tensorParallel: number;
  readonly layer: Readonly<Record<LayerOperator, SizeSamples>>;
  readonly once: SizeSamples;
  readonly head: SizeSamples;
  readonly attention: AttentionSamples;
  readonly skewWeight: number;
  /** Microseconds of an all-reduce over the tokens that it carries. */
  readonly allReduce: { readonly baseMicroseconds: number; readonly perTokenMicroseconds: number };
  /** Operators whose samples follow a rule: they are fitted, and no residual is shown of them. */
  readonly assumed: readonly (keyof typeof PART_NAMES)[];
  readonly usedRows: number;
  /** Rows that were left out, by the reason. */
  readonly dropped: readonly Dropped[];
  readonly notes: readonly string[];
}

export interface Dropped {
  readonly reason: string;
  readonly rows: number;
}

/** The error of samples that nothing can be fitted to. */
export function tooFewRows(what: string, rows: number, least: number): Error {
  return new Error(`${what}: ${rows} rows are too few to fit (expected at least ${least})`);
}
