// Bindings of the paged kernels and where a token lies; see `decode-paged.wgsl`.
// #include "stored.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var<storage, read> keyPool: array<Stored>;
@group(0) @binding(2) var<storage, read> valuePool: array<Stored>;
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read> lengths: array<u32>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

fn lengthOf(batch: u32) -> u32 {
  return lengths[batch];
}

// First row of a page of a head in the pools.
fn pageRow(batch: u32, kvHead: u32, page: u32) -> u32 {
  let id = table[batch * (params.keys / PAGE_TOKENS) + page];
  return (id * params.kvHeads + kvHead) * PAGE_TOKENS;
}

fn tokenRow(batch: u32, kvHead: u32, token: u32) -> u32 {
  return pageRow(batch, kvHead, token / PAGE_TOKENS) + token % PAGE_TOKENS;
}

// Keys that a query of an entry sees: all, or those up to its position.
fn seenKeys(length: u32, index: u32) -> u32 {
  if (CAUSAL == 0u) {
    return length;
  }
  return u32(max(0, i32(length) - i32(params.queries) + i32(index) + 1));
}
