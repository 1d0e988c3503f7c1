// What all value channels share when token i of a chunk reads: p_i = (a^(i+1))^T q_i for the state
// before the chunk, and g_ij = q_i . h_(i-j) for the chunk's values.
//
// query [rows, tokens, order]; powers [chunkTokens, order, order]; response [chunkTokens, order];
// reads [rows, tokens, order + chunkTokens], p then g. One thread per element; no shared memory.
// Grid: ceil((order + chunkTokens) / WORKGROUP), tokens of the dispatch, rows.
override WORKGROUP: u32 = 64;

// #include "legendre-params.wgsl"

@group(0) @binding(0) var<storage, read> query: array<f32>;
@group(0) @binding(1) var<storage, read> powers: array<f32>;
@group(0) @binding(2) var<storage, read> response: array<f32>;
@group(0) @binding(3) var<storage, read_write> reads: array<f32>;
@group(0) @binding(4) var<uniform> params: LegendreParams;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let order = params.order;
  let size = order + params.chunkTokens;
  let token = params.tokenStart + id.y;
  let i = token % params.chunkTokens;
  if (id.x >= size || id.x > order + i) {
    return;
  }
  let at = id.z * params.tokens + token;
  var sum = 0.0;
  if (id.x < order) {
    for (var c = 0u; c < order; c++) {
      sum += query[at * order + c] * powers[(i * order + c) * order + id.x];
    }
  } else {
    let back = i - (id.x - order);
    for (var c = 0u; c < order; c++) {
      sum += query[at * order + c] * response[back * order + c];
    }
  }
  reads[at * size + id.x] = sum;
}
