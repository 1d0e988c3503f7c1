// SwiGLU: gate = gate * sigmoid(gate) * up. Grid: values, folded into two dimensions.
override WORKGROUP: u32 = 64;

// #include "transformer-params.wgsl"

@group(0) @binding(0) var<storage, read> up: array<f32>;
@group(0) @binding(1) var<storage, read_write> gate: array<f32>;
@group(0) @binding(2) var<uniform> params: GateParams;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let at = id.y * groups.x * WORKGROUP + id.x;
  if (at < params.count) {
    let value = gate[at];
    gate[at] = value / (1.0 + exp(-value)) * up[at];
  }
}
