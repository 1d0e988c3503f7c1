// The words that `mask-words.wgsl` reads: bit j of a row's word says that the row sees key j of the block.
// `entries` holds the list, where each list row's words begin, and room for them; a lane per row of a
// query block walks the partial blocks of its list row. Shared memory: 0 bytes.
// Grid: query blocks, lists (batch or 1, queryHeads or 1).

// At most 32.
const BLOCK_KEYS: u32 = 32;
override WORKGROUP: u32 = 32;

// #include "params.wgsl"
// #include "variant.wgsl"

@group(0) @binding(0) var<storage, read> tableValues: array<f32>;
@group(0) @binding(1) var<storage, read> listRows: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> entries: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let block = params.blockStart + group.x;
  let list = params.headStart + group.y;
  let heads = select(1u, params.queryHeads, params.listHeadStride > 0u);
  let batch = list / heads;
  let head = list % heads;
  let listRow = batch * params.listStride + head * params.listHeadStride + block;
  let row = oneRow(batch, head, block * WORKGROUP + thread);
  let end = listRows[listRow + 1u].x;
  var at = entries[params.wordRows + listRow] + thread;
  for (var e = listRows[listRow].x + listRows[listRow].y; e < end; e++) {
    let keyStart = entries[e] * BLOCK_KEYS;
    var word = 0u;
    var bit = 1u;
    for (var j = 0u; j < BLOCK_KEYS; j++) {
      word += select(0u, bit, isVisible(row, keyStart + j));
      bit += bit;
    }
    entries[at] = word;
    at += WORKGROUP;
  }
}
