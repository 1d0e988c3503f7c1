// Split-KV attention for few queries over pages of keys and values in textures, [pages x kvHeads x
// PAGE_TOKENS, DIMS] each; other tensors as in `decode-paged.wgsl`, and work is divided as in
// `decode-texels.wgsl`. A block is a page, so that a quad looks up one page per PAGE_TOKENS keys.
// Shared memory: 0 bytes.
// Grid: ceil(splits / (WORKGROUP / 4)), batch x kvHeads, row groups.
enable subgroups;

const ROWS: u32 = 1;
const PAGE_TOKENS: u32 = 16;
const CAUSAL: u32 = 0;
// headSize / 4, and a quarter of it rounded up.
const DIMS: u32 = 16;
const SLICES: u32 = 4;
// Keys that are taken at once, in pairs.
const PAIRS: u32 = 2;
const ROWS_PER_LINE: u32 = 512;
override WORKGROUP: u32 = 16;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "texels.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var keyTexels: texture_2d<f32>;
@group(0) @binding(2) var valueTexels: texture_2d<f32>;
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read> lengths: array<u32>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;
@group(0) @binding(8) var nearest: sampler;

// #include "paged-rows.wgsl"

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
  let rowsPerHead = params.queries * (params.queryHeads / params.kvHeads);
  let rowStart = group.z * ROWS;
  let rowBase = batchKvHead * rowsPerHead;
  let length = lengthOf(batch);
  let lastPage = (length - 1u) / PAGE_TOKENS;

  // #for r ROWS
  let row$r = min(rowStart + $ru, rowsPerHead - 1u);
  let seen$r = seenKeys(length, row$r % params.queries);
  // #end
  // #include "texels-rows.wgsl"

  // All quads of a workgroup take the same steps, and those past the last page see no key; a
  // workgroup that begins past it takes none.
  let firstPage = group.x * (WORKGROUP / 4u) * params.entriesPerSplit;
  let steps = select(params.entriesPerSplit, 0u, firstPage > lastPage);
  for (var i = 0u; i < steps; i++) {
    let page = split * params.entriesPerSplit + i;
    let livePage = min(page, lastPage);
    let pageStart = pageRow(batch, kvHead, livePage);
    // Rows past the length may hold anything, NaN too.
    let lastRow = f32(i32(pageStart + min(PAGE_TOKENS, length - livePage * PAGE_TOKENS) - 1u));
    for (var c = 0u; c < PAGE_TOKENS; c += 2u * PAIRS) {
      let key = page * PAGE_TOKENS + c + lane % (2u * PAIRS);
      let firstRow = f32(i32(pageStart + c));
      // #include "texels-scores.wgsl"
      // #for r ROWS
      let s$r = select(LOWEST, whole$r, key < seen$r);
      // #end
      // #include "texels-values.wgsl"
    }
  }

  // #include "texels-outputs.wgsl"
}
