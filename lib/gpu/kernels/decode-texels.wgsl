// Split-KV attention for few queries (Dao et al. 2023, Flash-Decoding) over keys and values in
// textures: every split of the list of key blocks yields a normalised output and its LSE;
// `merge-splits.wgsl` joins them.
//
// A quad owns one split of ROWS rows that share a KV head, and takes one or two pairs of keys at a
// time: fewer for wide heads, whose unrolled loads outgrow the instruction cache otherwise. A lane
// holds every fourth vec4 of the queries and of the output, so that a load of the quad is 64 bytes
// in a row. The lanes' partial scores of all keys become one whole score per lane by two exchanges;
// with one pair, two lanes each hold the same.
// A software adapter reads a texel with one vector load, and a buffer number by number.
// All quads of a workgroup take the same number of steps, so that control flow is uniform; steps
// beyond a split's end see every key masked. Shared memory: 0 bytes.
//
// query [batch x queryHeads x queries, DIMS]; keyTexels and valueTexels [batch x kvHeads x keys, DIMS];
// output [batch x queryHeads x queries, splits, DIMS], lse [batch x queryHeads x queries, splits].
// Grid: ceil(splits / (WORKGROUP / 4)), batch x kvHeads, row groups.
enable subgroups;

const ROWS: u32 = 1;
// headSize / 4, and a quarter of it rounded up.
const DIMS: u32 = 16;
const SLICES: u32 = 4;
// Keys that are taken at once, and a key block's, in pairs.
const PAIRS: u32 = 2;
const BLOCK_PAIRS: u32 = 32;
const ROWS_PER_LINE: u32 = 512;
override WORKGROUP: u32 = 16;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "variant.wgsl"
// #include "texels.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var keyTexels: texture_2d<f32>;
@group(0) @binding(2) var valueTexels: texture_2d<f32>;
@group(0) @binding(3) var<storage, read> tableValues: array<f32>;
@group(0) @binding(4) var<storage, read> listRows: array<vec2u>;
@group(0) @binding(5) var<storage, read> entries: array<u32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var nearest: sampler;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) subgroupThread: u32,
) {
  let lane = subgroupThread & 3u;
  // #include "texels-lanes.wgsl"
  let split = group.x * (WORKGROUP / 4u) + thread / 4u;
  let batchKvHead = params.headStart + group.y;
  let batch = batchKvHead / params.kvHeads;
  let kvHead = batchKvHead % params.kvHeads;
  let heads = params.queryHeads / params.kvHeads;
  let rowsPerHead = params.queries * heads;
  let rowStart = group.z * ROWS;
  let rowBase = batchKvHead * rowsPerHead;
  let keyRow = batchKvHead * params.keys;
  let lastRow = f32(i32(keyRow + params.keys - 1u));

  // #for r ROWS
  let row$r = min(rowStart + $ru, rowsPerHead - 1u);
  let at$r = oneRow(batch, kvHead * heads + row$r / params.queries, row$r % params.queries);
  // #end
  // #include "texels-rows.wgsl"

  let listRow = batch * params.listStride + kvHead * params.listHeadStride;
  let first = listRows[listRow].x;
  let firstPartial = first + listRows[listRow].y;
  let end = listRows[listRow + 1u].x;
  for (var i = 0u; i < params.entriesPerSplit; i++) {
    let e = first + split * params.entriesPerSplit + i;
    let isLive = e < end;
    // A dead step reads the list's last block; where the list is empty, block 0.
    let block = select(0u, entries[min(e, max(end, 1u) - 1u)], end > first);
    let blockStart = block * (2u * BLOCK_PAIRS);
    let isMasked = e >= firstPartial || blockStart + 2u * BLOCK_PAIRS > params.keys;
    for (var c = 0u; c < BLOCK_PAIRS; c += PAIRS) {
      let keyStart = blockStart + 2u * c;
      let key = keyStart + lane % (2u * PAIRS);
      let firstRow = f32(i32(keyRow + keyStart));
      // #include "texels-scores.wgsl"
      // #for r ROWS
      let score$r = isModified(at$r, key, whole$r);
      let isSeen$r = !isMasked | (isLive & isVisible(at$r, key));
      let s$r = select(LOWEST, score$r, isSeen$r);
      // #end
      // #include "texels-values.wgsl"
    }
  }

  // #include "texels-outputs.wgsl"
}
