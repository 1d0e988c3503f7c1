// Sizes of one recurrent call and the tokens of this dispatch, shared by the recurrent kernels.
struct RecurrentParams {
  // Tokens per row of batch x heads, and those of this dispatch: [tokenStart, tokenEnd).
  tokens: u32,
  tokenStart: u32,
  tokenEnd: u32,
  // Tokens of a chunk, the first chunk of this dispatch and the number of all of them.
  chunkTokens: u32,
  chunkStart: u32,
  chunks: u32,
  // Key and value channels / 4; tensors are padded with zeros.
  keyVectors: u32,
  valueVectors: u32,
  // Rows of a head's state: one per value channel, and the normaliser.
  stateRows: u32,
  // Scalar decay of row r and token t is decay[(r % decayRows) * decayRowStride + t * decayTokenStride].
  decayRows: u32,
  decayRowStride: u32,
  decayTokenStride: u32,
}

// Below this z . q counts as an empty state, whose output is 0.
const SMALLEST_NORMALISER: f32 = 1.0e-6;
