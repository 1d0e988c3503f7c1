// Sizes and strides of one attention call, shared by every kernel; written by `writeParams`.
struct Params {
  queries: u32,
  keys: u32,
  queryHeads: u32,
  kvHeads: u32,
  // headSize / 4
  headVectors: u32,
  // 1 / sqrt(headSize)
  scale: f32,
  // First query block and first row of batch x queryHeads of this dispatch.
  blockStart: u32,
  headStart: u32,
  // Rows of the block list per batch and per (KV) head; 0 where they share one list.
  listStride: u32,
  listHeadStride: u32,
  splits: u32,
  entriesPerSplit: u32,
  // batch x queryHeads x queries: buffers are padded, so their length does not tell.
  rows: u32,
  // Where `entries` tells the begin of every list row's mask words; see mask-words.wgsl.
  wordRows: u32,
  // The formulas' named numbers.
  numbers: array<vec4f, 2>,
  // The formulas' tables: first value, values per batch and per head, length.
  tables: array<vec4u, 8>,
}
