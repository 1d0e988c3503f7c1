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
  // Rows of the block list and of the ranges per batch; 0 where every batch shares them.
  listStride: u32,
  rangeStride: u32,
  splits: u32,
  entriesPerSplit: u32,
  // batch x queryHeads x queries: buffers are padded, so their length does not tell.
  rows: u32,
}
