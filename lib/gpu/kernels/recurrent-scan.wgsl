// Joins chunks that were walked from an empty state: S_c = D_c S_{c-1} + local_c with D_c the product
// of the chunk's decays. Every local state becomes the state before its chunk, and stateAfter the one
// after the last (Blelloch's scan in its sequential form: chunks are few, states are wide).
//
// states [chunks, rows, stateRows, keyVectors]; chunkDecay [chunks, rows, keyVectors];
// stateBefore, stateAfter [rows, stateRows, keyVectors]; rows = batch x heads.
// One thread per vec4 of a state; no shared memory. Grid: ceil(stateRows keyVectors / WORKGROUP), rows.
override WORKGROUP: u32 = 64;

// #include "recurrent-params.wgsl"

@group(0) @binding(0) var<storage, read_write> states: array<vec4f>;
@group(0) @binding(1) var<storage, read> chunkDecay: array<vec4f>;
@group(0) @binding(2) var<storage, read> stateBefore: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> stateAfter: array<vec4f>;
@group(0) @binding(4) var<uniform> params: RecurrentParams;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let size = params.stateRows * params.keyVectors;
  if (id.x >= size) {
    return;
  }
  let row = id.y;
  let rows = groups.y;
  var s = stateBefore[row * size + id.x];
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    let chunkRow = chunk * rows + row;
    let at = chunkRow * size + id.x;
    let local = states[at];
    states[at] = s;
    s = chunkDecay[chunkRow * params.keyVectors + id.x % params.keyVectors] * s + local;
  }
  stateAfter[row * size + id.x] = s;
}
