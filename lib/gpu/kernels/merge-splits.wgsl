// Joins partial attentions over disjoint keys: lse = log sum_i exp(lse_i),
// O = sum_i exp(lse_i - lse) O_i. Exact for any split (Dao et al. 2023, Flash-Decoding).
//
// partial [rows, splits, headVectors], partialLse [rows, splits]; output [rows, headVectors],
// lse [rows], rows = batch x queryHeads x queries. One thread per vec4 of the output; no shared memory.
override WORKGROUP: u32 = 64;

// #include "params.wgsl"
// #include "masked.wgsl"

@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read> partialLse: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / params.headVectors;
  let dim = id.x % params.headVectors;
  if (row >= params.rows) {
    return;
  }
  let first = row * params.splits;
  var most = LOWEST;
  for (var i = 0u; i < params.splits; i++) {
    most = max(most, partialLse[first + i]);
  }
  var total = 0.0;
  var acc = vec4f();
  for (var i = 0u; i < params.splits; i++) {
    let weight = exp(partialLse[first + i] - most);
    total += weight;
    acc += weight * partial[(first + i) * params.headVectors + dim];
  }
  output[id.x] = acc / total;
  if (dim == 0u) {
    lse[row] = select(most + log(total), LOWEST, most < MASKED_BELOW);
  }
}
