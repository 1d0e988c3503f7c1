// Root-mean-square norm of runs of `width` values: out = x * weight / sqrt(mean(x^2) + epsilon).
// One workgroup per run. Grid: runs, folded into two dimensions.

// #include "transformer-params.wgsl"

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> params: NormParams;

var<workgroup> sums: array<f32, 64>;
var<workgroup> eights: array<f32, 8>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let run = group.y * groups.x + group.x;
  // Past the last run everything is done twice and nothing is written: barriers want all threads.
  let start = min(run, params.runs - 1u) * params.width;
  var squares = 0.0;
  for (var i = thread; i < params.width; i += 64u) {
    squares += x[start + i] * x[start + i];
  }
  sums[thread] = squares;
  workgroupBarrier();
  if (thread < 8u) {
    var eight = 0.0;
    for (var i = 0u; i < 8u; i++) {
      eight += sums[thread * 8u + i];
    }
    eights[thread] = eight;
  }
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < 8u; i++) {
    total += eights[i];
  }
  let factor = 1.0 / sqrt(total / f32(params.width) + params.epsilon);
  if (run < params.runs) {
    for (var i = thread; i < params.width; i += 64u) {
      out[start + i] = x[start + i] * factor * weight[i];
    }
  }
}
