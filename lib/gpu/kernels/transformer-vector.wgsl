// out[rows, outputs] (+)= x[rows, inputs] times weight[outputs, inputs] transposed, plus bias, of few
// rows: 4 outputs x 4 rows per workgroup, 16 lanes along the inputs of each, which read a row of the
// weight side by side.
// Grid: ceil(outputs / 4), folded into two dimensions; ceil(rows / 4).

// #include "transformer-params.wgsl"

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: LinearParams;

// [4 outputs][16 lanes], a row of `x` per component
var<workgroup> sums: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let lane = thread % 16u;
  // Past the last output and row everything is done twice and nothing is written: barriers want all threads.
  let output = (group.y * groups.x + group.x) * 4u + thread / 16u;
  let line = min(output, params.outputs - 1u) * params.inputs;
  let firstRow = group.z * 4u;
  let lastRow = params.rows - 1u;
  let starts = min(vec4u(firstRow) + vec4u(0u, 1u, 2u, 3u), vec4u(lastRow)) * params.inputs;
  var s = vec4f();
  for (var i = lane; i < params.inputs; i += 16u) {
    let values = vec4f(x[starts.x + i], x[starts.y + i], x[starts.z + i], x[starts.w + i]);
    s += weight[line + i] * values;
  }
  sums[thread] = s;
  workgroupBarrier();
  // A lane sums and writes a row: one barrier, which software adapters pay dearly for.
  let row = firstRow + lane;
  if ((lane < 4u) & (row < params.rows) & (output < params.outputs)) {
    var sum = bias[output];
    for (var other = 0u; other < 16u; other++) {
      sum += sums[thread - lane + other][lane];
    }
    let to = row * params.outputs + output;
    if (params.adds == 1u) {
      out[to] = out[to] + sum;
    } else {
      out[to] = sum;
    }
  }
}
