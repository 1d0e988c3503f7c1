// Sizes of the steps of a decoder's layer.
struct LinearParams {
  rows: u32,
  inputs: u32,
  outputs: u32,
  // 1: to what `out` holds (a residual).
  adds: u32,
}

struct NormParams {
  runs: u32,
  width: u32,
  epsilon: f32,
}

struct GateParams {
  count: u32,
}

struct PartParams {
  rows: u32,
  heads: u32,
  // Query heads of a KV head.
  group: u32,
  // Blocks of rows, each with a limit per KV head.
  blocks: u32,
  headSize: u32,
  scale: f32,
  // Where the list of limits begins.
  limitsAt: u32,
}

// Rows on their way to a layer's slots, or their queries.
struct PlaceParams {
  rows: u32,
  heads: u32,
  kvHeads: u32,
  headSize: u32,
  // Numbers of a padded head.
  stride: u32,
  // Where the layer's table begins.
  at: u32,
  // 1: rounded to binary16, as the cache stores them.
  halves: u32,
}

struct RaggedParams {
  rows: u32,
  heads: u32,
  group: u32,
  kvHeads: u32,
  splits: u32,
  headSize: u32,
  scale: f32,
  // Where the layer's table begins.
  at: u32,
  // 1: scores are kept.
  keeps: u32,
}
