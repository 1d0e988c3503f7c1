// Softmax attention of a layer's rows over one part per KV head, ragged: a thread per row of a query
// head, slot after slot with the online softmax. Slots at later text positions are not seen; per block
// of rows a limit says past which slot nothing is. Queries, keys and values are padded to whole vectors.
// Grid: blocks of WORKGROUP rows, heads.
override WORKGROUP: u32 = 64;
const VECTORS: u32 = 4;

// #include "transformer-params.wgsl"

// [heads][rows][VECTORS], rotated
@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
// Slots of the KV heads one after another, [slots][VECTORS]
@group(0) @binding(1) var<storage, read> keys: array<vec4f>;
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
// [slots]: the text position, and the bits of what is added to the score
@group(0) @binding(3) var<storage, read> slots: array<vec2i>;
// From `limitsAt` on [kvHeads][1 + blocks]: the head's first slot, then a limit per block
@group(0) @binding(4) var<storage, read> limits: array<u32>;
// [rows], then per KV head the bits of the score's scale
@group(0) @binding(5) var<storage, read> rowPositions: array<i32>;
// [rows][heads][headSize]
@group(0) @binding(6) var<storage, read_write> output: array<f32>;
@group(0) @binding(7) var<uniform> params: PartParams;

const NOTHING_SEEN = -1e38;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
) {
  let head = id.y;
  let kvHead = head / params.group;
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let position = rowPositions[row];
  let scale = params.scale / bitcast<f32>(rowPositions[params.rows + kvHead]);
  let query = (head * params.rows + row) * VECTORS;
  // #for i VECTORS
  let q$i = queries[query + $iu] * scale;
  var s$i = vec4f();
  // #end
  var maximum = f32(NOTHING_SEEN);
  var sum = 0.0;
  let list = params.limitsAt + kvHead * (1u + params.blocks);
  let first = limits[list];
  let end = first + limits[list + 1u + group.x];
  for (var slot = first; slot < end; slot++) {
    let about = slots[slot];
    if (about.x > position) {
      continue;
    }
    let at = slot * VECTORS;
    var score = bitcast<f32>(about.y);
    // #for i VECTORS
    score += dot(q$i, keys[at + $iu]);
    // #end
    if (score > maximum) {
      let rescaling = exp(maximum - score);
      maximum = score;
      sum *= rescaling;
      // #for i VECTORS
      s$i *= rescaling;
      // #end
    }
    let weight = exp(score - maximum);
    sum += weight;
    // #for i VECTORS
    s$i += weight * values[at + $iu];
    // #end
  }
  let factor = select(0.0, 1.0 / sum, sum > 0.0);
  let to = (row * params.heads + head) * params.headSize;
  // #for i VECTORS
  for (var j = 0u; j < 4u; j++) {
    let d = 4u * $iu + j;
    if (d < params.headSize) {
      output[to + d] = s$i[j] * factor;
    }
  }
  // #end
}
