/**
 * Sizes of one call: q, k [batch, heads, tokens, keySize], v and o [batch, heads, tokens, valueSize].
 * `keySize` counts the channels that the state sees, after the feature map.
 */
export interface RecurrentShape {
  readonly batch: number;
  readonly heads: number;
  readonly tokens: number;
  readonly keySize: number;
  readonly valueSize: number;
}

/**
 * How one token changes the state S [valueSize, keySize] of a head; the output is o_t = S_t q_t.
 *
 * - additive: S + v k^T (Katharopoulos et al. 2020, linear attention)
 * - retnet: gamma_h S + v k^T with gamma_h = 1 - 2^(-5 - h) (Sun et al. 2023, RetNet)
 * - gated: S diag(alpha_t) + v k^T, a decay per key channel (Yang et al. 2023, GLA)
 * - ssd: a_t S + v k^T, a decay per token (Dao and Gu 2024, Mamba-2; v already holds the step size)
 * - delta: S (I - beta_t k k^T) + beta_t v k^T (Schlag et al. 2021; Yang et al. 2024, DeltaNet)
 * - gated-delta: a_t S (I - beta_t k k^T) + beta_t v k^T (Yang et al. 2024, Gated DeltaNet)
 * - prefix-linear: additive from the state that a second key and value projection of the first
 *   `prefixTokens` tokens builds without causality (Arora et al. 2024, JRT-RNN)
 *
 * With `normalise` the output is S q / (z . q), where z sums the keys under the same decay.
 */
export type StateRule =
  | { readonly type: 'additive'; readonly normalise: boolean }
  | { readonly type: 'retnet' }
  | { readonly type: 'gated'; readonly normalise: boolean }
  | { readonly type: 'ssd' }
  | { readonly type: 'delta' }
  | { readonly type: 'gated-delta' }
  | { readonly type: 'prefix-linear'; readonly normalise: boolean; readonly prefixTokens: number };

/**
 * Mixture of memories (Du et al. 2025, MoM): a router's softmax gives every token `topK` of
 * `memories` gated-delta states, each with its own keys and values; the others stay as they are.
 * The outputs are added by the router's weights, which sum to 1 over the chosen. A shared memory is
 * written by every token and its output added.
 */
export interface MixtureRule {
  readonly type: 'mom';
  readonly memories: number;
  readonly topK: number;
  readonly hasShared: boolean;
  /** Standard deviation of a bias per memory in the synthetic router; 0 is a balanced one. */
  readonly routerBias: number;
}

/**
 * Legendre memory (Voelker et al. 2019, LMU): every value channel keeps the coefficients of its last
 * `thetaTokens` tokens in `keySize` Legendre polynomials by a fixed system, and queries read them.
 */
export interface LegendreRule {
  readonly type: 'lmu';
  readonly thetaTokens: number;
}

/**
 * Large-chunk test-time training (Zhang et al. 2025, LaCT): the state is the weights of a SwiGLU MLP
 * f(x) = w1 (silu(w0 x) o (w2 x)) with `expansion` x keySize hidden channels. A chunk is read with the
 * weights before it; then they step along the gradient of -<f(k), v> and their rows are scaled back.
 */
export interface FastWeightRule {
  readonly type: 'lact';
  readonly chunkTokens: number;
  readonly expansion: number;
  /** Largest learning rate of a token. */
  readonly learningRate: number;
  readonly hasMomentum: boolean;
  /** Newton-Schulz steps on every update (Muon); 0 is none. */
  readonly muonSteps: number;
}

/**
 * A low-rank update of weights that stay, learnt while generating (temporal LoRA; Hong et al. 2024,
 * SlowFast-VGen): a chunk is read with w + b a, then b and a take `steps` gradient steps towards
 * mapping its keys to its values.
 */
export interface TemporalLoraRule {
  readonly type: 'temporal-lora';
  readonly chunkTokens: number;
  readonly rank: number;
  readonly learningRate: number;
  readonly steps: number;
}

/** Rules whose state is weights that are trained as tokens come; they have no kernel here. */
export type TestTimeRule = FastWeightRule | TemporalLoraRule;

/** What a recurrent layer may keep: one state matrix per head, or something made of more. */
export type RecurrentRule = StateRule | MixtureRule | LegendreRule | TestTimeRule;

/** Row-major tensors of one call. */
export interface RecurrentInputs {
  readonly shape: RecurrentShape;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** Factors in [0, 1]: gated [batch, heads, tokens, keySize]; ssd, gated-delta [batch, heads, tokens]. */
  readonly decay: Float32Array | undefined;
  /** The delta rules' beta [batch, heads, tokens]; 1 replaces what the key held. */
  readonly writeStrength: Float32Array | undefined;
  /** prefix-linear: [batch, heads, prefixTokens, keySize] and [batch, heads, prefixTokens, valueSize]. */
  readonly prefixKey: Float32Array | undefined;
  readonly prefixValue: Float32Array | undefined;
}

/**
 * Output [batch, heads, tokens, valueSize] and the last state [batch, heads, stateRows, keySize];
 * the row after the values' is the normaliser z where the rule has one.
 */
export interface RecurrentOutput {
  readonly output: Float32Array | Float64Array;
  readonly state: Float32Array | Float64Array;
}
