import type { AdapterInfo } from '../attention/types';
import type { ModelParams } from '../spec/kinds/model';
import type { Transformer, TransformerConfig } from './types';

/** A text that a model read, and what it wrote after it. */
export interface ModelResult {
  readonly params: ModelParams;
  readonly name: string;
  readonly config: TransformerConfig;
  /** `webgpu` where the prompt was read on a GPU; notes say what else was computed there. */
  readonly engine: Transformer['engine'];
  /** That GPU. */
  readonly adapter?: AdapterInfo;
  /** Numbers of the model, each once. */
  readonly parameters: number;
  /** f32, as computed with. */
  readonly weightsBytes: number;
  /** Key and value of one token in every layer and KV head, f32. */
  readonly kvBytesPerToken: number;
  /** Prompt, then generated tokens. */
  readonly tokens: Int32Array;
  readonly labels: readonly string[];
  readonly promptTokens: number;
  /** -ln p of each token after the first, given those before it; NaN for the first. */
  readonly surprisalNats: Float32Array;
  /** The likeliest continuations after the prompt: token label and probability. */
  readonly nextTokens: readonly { readonly label: string; readonly probability: number }[];
  readonly generatedText: string;
  readonly timing: {
    /** 0 where the model was loaded already. */
    readonly loadSeconds: number;
    readonly prefillSeconds: number;
    readonly decodeSeconds: number;
  };
  readonly notes: readonly string[];
}
