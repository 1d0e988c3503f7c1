// What four tokens keep between the steps of a walk, at byte offsets of the scratch: per key channel a
// vector over the tokens, or one number; per token a vector over tokens; of one panel 8 columns a token.

/** Key channels whose vectors fit the scratch. */
const MAX_KEY_SIZE: usize = 128;

/** [channel][token]: D_i o q_i, D_i o k_i and L_j k_j of `recurrent.ts`. */
export const READERS: usize = 0;
export const ERASERS: usize = READERS + 16 * MAX_KEY_SIZE;
export const WRITERS: usize = ERASERS + 16 * MAX_KEY_SIZE;
/** [channel]: the product of the four decays. */
export const DECAYS: usize = WRITERS + 16 * MAX_KEY_SIZE;
/** [token i][token j]: q_i . L_ij k_j and k_i . L_ij k_j. */
export const SCORES: usize = DECAYS + 4 * MAX_KEY_SIZE;
export const OVERLAPS: usize = SCORES + 64;
/** [token]: what its output is multiplied by. */
export const FACTORS: usize = OVERLAPS + 64;
/** [token][8]: what delta rules write. */
export const WRITES: usize = FACTORS + 16;
export const RECURRENT_SCRATCH_BYTES: usize = WRITES + 128;
