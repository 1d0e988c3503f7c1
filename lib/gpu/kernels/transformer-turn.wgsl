// Turns the rows' queries to the RoPE indices of the layer's table (half-split pairs; Su et al., 2021):
// [rows][heads][headSize] to [heads][rows][stride]. A thread per pair.
// Grid: rows x heads x pairs, folded into two dimensions.
override WORKGROUP: u32 = 64;

// #include "transformer-params.wgsl"

@group(0) @binding(0) var<storage, read> queries: array<f32>;
// [indices][pairs]: cosine and sine
@group(0) @binding(1) var<storage, read> rotations: array<vec2f>;
// See `transformer-tables.ts`.
@group(0) @binding(2) var<storage, read> tables: array<u32>;
@group(0) @binding(3) var<storage, read_write> turned: array<f32>;
@group(0) @binding(4) var<uniform> params: PlaceParams;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let pairs = params.headSize / 2u;
  let at = id.y * groups.x * WORKGROUP + id.x;
  let pair = at % pairs;
  let head = at / pairs % params.heads;
  let row = at / pairs / params.heads;
  if (row >= params.rows) {
    return;
  }
  let kvHead = head / (params.heads / params.kvHeads);
  let indices = params.at + 3u * params.kvHeads + params.kvHeads * params.rows;
  let index = tables[indices + kvHead * params.rows + row];
  let rotation = rotations[index * pairs + pair];
  let source = (row * params.heads + head) * params.headSize + pair;
  let to = (head * params.rows + row) * params.stride + pair;
  let a = queries[source];
  let b = queries[source + pairs];
  turned[to] = a * rotation.x - b * rotation.y;
  turned[to + pairs] = a * rotation.y + b * rotation.x;
}
