// Outputs of a Legendre memory whose states before the chunks are known:
// o_i = S p_i + sum_{j <= i} g_ij v_j.
//
// reads [rows, tokens, order + chunkTokens], p then g; value, output [rows, tokens, valueSize];
// states [chunks, rows, valueSize, order]. One thread per element; no shared memory.
// Grid: ceil(valueSize / WORKGROUP), tokens of the dispatch, rows.
override WORKGROUP: u32 = 64;

// #include "legendre-params.wgsl"

@group(0) @binding(0) var<storage, read> reads: array<f32>;
@group(0) @binding(1) var<storage, read> value: array<f32>;
@group(0) @binding(2) var<storage, read> states: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> params: LegendreParams;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  if (id.x >= params.valueSize) {
    return;
  }
  let order = params.order;
  let token = params.tokenStart + id.y;
  let i = token % params.chunkTokens;
  let at = id.z * params.tokens + token;
  let read = at * (order + params.chunkTokens);
  let chunk = token / params.chunkTokens;
  let state = ((chunk * groups.z + id.z) * params.valueSize + id.x) * order;
  var sum = 0.0;
  for (var n = 0u; n < order; n++) {
    sum += states[state + n] * reads[read + n];
  }
  for (var j = 0u; j <= i; j++) {
    sum += reads[read + order + j] * value[(at - i + j) * params.valueSize + id.x];
  }
  output[at * params.valueSize + id.x] = sum;
}
