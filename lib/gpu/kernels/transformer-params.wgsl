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
}
