// Joins the splits of `transformer-ragged.wgsl` by their maxima and sums: exact for any split. A thread
// per number of the output. Grid: rows x heads x headSize, folded into two dimensions.
override WORKGROUP: u32 = 64;
const VECTORS: u32 = 4;

// #include "transformer-params.wgsl"

// [rows][heads][splits][4 VECTORS], not yet divided by the sum
@group(0) @binding(0) var<storage, read> partial: array<f32>;
// [rows][heads][splits]: maximum and sum
@group(0) @binding(1) var<storage, read> statistics: array<vec2f>;
// [rows][heads][headSize]
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
// [rows][heads]: the log-sum-exp, 0 where no slot is seen
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<uniform> params: RaggedParams;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let at = id.y * groups.x * WORKGROUP + id.x;
  let run = at / params.headSize;
  let d = at % params.headSize;
  if (run >= params.rows * params.heads) {
    return;
  }
  let first = run * params.splits;
  var highest = statistics[first].x;
  for (var i = 1u; i < params.splits; i++) {
    highest = max(highest, statistics[first + i].x);
  }
  var total = 0.0;
  var s = 0.0;
  for (var i = 0u; i < params.splits; i++) {
    let factor = exp(statistics[first + i].x - highest);
    total += factor * statistics[first + i].y;
    s += factor * partial[(first + i) * 4u * VECTORS + d];
  }
  let isSeen = total > 0.0;
  output[at] = select(0.0, s / total, isSeen);
  if (d == 0u) {
    lse[run] = select(0.0, highest + log(total), isSeen);
  }
}
