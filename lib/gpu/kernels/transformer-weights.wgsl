// Kept scores into softmax weights, in place: exp(score - lse), 0 where a slot is not seen.
// Grid: slots of the longest head in workgroups, heads, rows.
override WORKGROUP: u32 = 64;

// #include "transformer-params.wgsl"

// [rows][heads]
@group(0) @binding(0) var<storage, read> lse: array<f32>;
// See `transformer-tables.ts`.
@group(0) @binding(1) var<storage, read> tables: array<u32>;
// [kvHeads][rows][group][the head's slots]
@group(0) @binding(2) var<storage, read_write> scores: array<f32>;
@group(0) @binding(3) var<uniform> params: RaggedParams;

const NOTHING_SEEN = -1e38;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let head = id.y;
  let row = id.z;
  let kvHead = head / params.group;
  let count = tables[params.at + params.kvHeads + kvHead];
  if (id.x < count) {
    let member = head % params.group;
    let at = tables[params.at + 2u * params.kvHeads + kvHead]
      + (row * params.group + member) * count + id.x;
    let score = scores[at];
    scores[at] = select(0.0, exp(score - lse[row * params.heads + head]), score > NOTHING_SEEN);
  }
}
