// Sizes of one Legendre memory call and the part of this dispatch.
struct LegendreParams {
  tokens: u32,
  chunkTokens: u32,
  chunks: u32,
  order: u32,
  valueSize: u32,
  // First chunk and first token of this dispatch.
  chunkStart: u32,
  tokenStart: u32,
}
