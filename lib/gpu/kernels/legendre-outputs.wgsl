// Outputs of a Legendre memory whose states before the chunks are known: token i of a chunk reads
// o_i = S p_i + sum_{j <= i} g_ij v_j with p_i = (a^(i+1))^T q_i and g_ij = q_i . h_(i-j).
//
// query [rows, tokens, order]; value, output [rows, tokens, valueSize]; powers [chunkTokens, order, order];
// response [chunkTokens, order]; states [chunks, rows, valueSize, order].
// A workgroup per token of a row, whose p and g all value channels share. Grid: tokens of the dispatch, rows.
override WORKGROUP: u32 = 64;
const MAX_ORDER: u32 = 128;
const MAX_CHUNK: u32 = 32;

// #include "legendre-params.wgsl"

@group(0) @binding(0) var<storage, read> query: array<f32>;
@group(0) @binding(1) var<storage, read> value: array<f32>;
@group(0) @binding(2) var<storage, read> powers: array<f32>;
@group(0) @binding(3) var<storage, read> response: array<f32>;
@group(0) @binding(4) var<storage, read> states: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
@group(0) @binding(6) var<uniform> params: LegendreParams;

var<workgroup> moved: array<f32, MAX_ORDER>;
var<workgroup> scores: array<f32, MAX_CHUNK>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let order = params.order;
  let row = group.y;
  let token = params.tokenStart + group.x;
  let chunk = token / params.chunkTokens;
  let i = token % params.chunkTokens;
  let at = row * params.tokens + token;
  for (var n = lane; n < order; n += WORKGROUP) {
    var sum = 0.0;
    for (var c = 0u; c < order; c++) {
      sum += query[at * order + c] * powers[(i * order + c) * order + n];
    }
    moved[n] = sum;
  }
  for (var j = lane; j <= i; j += WORKGROUP) {
    var sum = 0.0;
    for (var c = 0u; c < order; c++) {
      sum += query[at * order + c] * response[(i - j) * order + c];
    }
    scores[j] = sum;
  }
  workgroupBarrier();
  for (var v = lane; v < params.valueSize; v += WORKGROUP) {
    let state = ((chunk * groups.y + row) * params.valueSize + v) * order;
    var sum = 0.0;
    for (var n = 0u; n < order; n++) {
      sum += states[state + n] * moved[n];
    }
    for (var j = 0u; j <= i; j++) {
      sum += scores[j] * value[(at - i + j) * params.valueSize + v];
    }
    output[at * params.valueSize + v] = sum;
  }
}
