// What every chunk of tokens adds to an empty Legendre memory: E = sum_j v_j h_(count-1-j)^T, where
// h_n = a^n b is the impulse response, the same for all tokens.
//
// value [rows, tokens, valueSize]; response [chunkTokens, order]; local [chunks, rows, valueSize, order];
// rows = batch x heads. One thread per element; no shared memory.
// Grid: ceil(valueSize order / WORKGROUP), rows, chunks of the dispatch.
override WORKGROUP: u32 = 64;

// #include "legendre-params.wgsl"

@group(0) @binding(0) var<storage, read> value: array<f32>;
@group(0) @binding(1) var<storage, read> response: array<f32>;
@group(0) @binding(2) var<storage, read_write> local: array<f32>;
@group(0) @binding(3) var<uniform> params: LegendreParams;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let size = params.valueSize * params.order;
  if (id.x >= size) {
    return;
  }
  let channel = id.x / params.order;
  let n = id.x % params.order;
  let row = id.y;
  let chunk = params.chunkStart + id.z;
  let start = chunk * params.chunkTokens;
  let count = min(params.chunkTokens, params.tokens - start);
  var sum = 0.0;
  for (var j = 0u; j < count; j++) {
    let u = value[(row * params.tokens + start + j) * params.valueSize + channel];
    sum += u * response[(count - 1u - j) * params.order + n];
  }
  local[(chunk * groups.y + row) * size + id.x] = sum;
}
