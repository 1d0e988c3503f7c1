/** How many values share one scale (and zero). */
export type Granularity =
  /** All channels of a token. */
  | { readonly type: 'token' }
  /** One channel over `groupTokens` tokens, as KIVI quantises keys; the last group may be shorter. */
  | { readonly type: 'channel'; readonly groupTokens: number }
  /** `groupChannels` neighbouring channels of a token. */
  | { readonly type: 'grouped'; readonly groupChannels: number }
  /** Channels i and i + columns / 2 over `groupTokens` tokens: the two that RoPE rotates together. */
  | { readonly type: 'rope-pair'; readonly groupTokens: number };

export type ScaleType = 'f32' | 'f16';

export interface QuantisationScheme {
  readonly bits: 2 | 4 | 8;
  /**
   * Symmetric: two's complement codes, x = code x scale. Asymmetric: codes from 0,
   * x = code x scale + zero, where `zero` is the value of code 0.
   */
  readonly mode: 'symmetric' | 'asymmetric';
  readonly granularity: Granularity;
  /** Storage of scales and zeros. */
  readonly scaleType: ScaleType;
}

/** A row-major tensor [heads, rows, columns]: rows are tokens, columns are channels. */
export interface TensorShape {
  /** Groups of tokens end where a head does; 1 by default. */
  readonly heads?: number;
  readonly rows: number;
  readonly columns: number;
}

export interface QuantisedBytes {
  /** Rows are padded to whole words of 4 bytes. */
  readonly codes: number;
  readonly scales: number;
  readonly zeros: number;
  readonly total: number;
  /** 8 x total per element of the tensor. */
  readonly bitsPerElement: number;
}

export interface Quantised {
  readonly shape: Required<TensorShape>;
  readonly scheme: QuantisationScheme;
  /** [heads, rows, wordsPerRow]; the code of a lower channel lies in lower bits. */
  readonly packed: Uint32Array<ArrayBuffer>;
  /** [heads, groups of tokens, scales per group], rounded to the scheme's storage. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** As `scales`; undefined where symmetric. */
  readonly zeros: Float32Array<ArrayBuffer> | undefined;
  readonly bytes: QuantisedBytes;
}
