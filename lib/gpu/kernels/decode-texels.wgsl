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
  let isOdd = (lane & 1u) == 1u;
  // The pair of a lane's own key, and that of the lane it exchanges with.
  // #for h PAIRS
  let isOwn$h = (lane / 2u) % PAIRS == $hu;
  let isOther$h = (1u - lane / 2u) % PAIRS == $hu;
  // #end
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
  let step = lineStep(keyTexels);

  // #for t SLICES
  let dim$t = 4u * $tu + lane;
  let slice$t = min(dim$t, DIMS - 1u);
  let u$t = texelAt(slice$t);
  // #end
  // #for r ROWS
  let row$r = min(rowStart + $ru, rowsPerHead - 1u);
  let at$r = oneRow(batch, kvHead * heads + row$r / params.queries, row$r % params.queries);
  var m$r = LOWEST;
  var l$r = 0.0;
  // #for t SLICES
  // Lanes past the head size read its last vec4 once more, and add nothing.
  let q$r_$t = query[(rowBase + row$r) * DIMS + slice$t] * select(0.0, params.scale, dim$t < DIMS);
  var acc$r_$t = vec4f();
  // #end
  // #end

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
      // #for h PAIRS
      // #for j 2
      let at$h_$j = rowAt(min(firstRow + (2.0 * $h.0 + $j.0), lastRow), step);
      // #for t SLICES
      let k$h_$j_$t = textureSampleLevel(keyTexels, nearest, vec2f(at$h_$j.x + u$t, at$h_$j.y), 0.0);
      // #for r ROWS
      let dot$r_$h_$j_$t = dot(q$r_$t, k$h_$j_$t);
      // #end
      // #end
      // #end
      // #end
      // #for r ROWS
      // #for h PAIRS
      // #for j 2
      let part$r_$h_$j = 0.0
      // #for t SLICES
        + dot$r_$h_$j_$t
      // #end
      ;
      // #end
      let half$r_$h = select(part$r_$h_0, part$r_$h_1, isOdd)
        + quadSwapX(select(part$r_$h_1, part$r_$h_0, isOdd));
      // #end
      let own$r = 0.0
      // #for h PAIRS
        + select(0.0, half$r_$h, isOwn$h)
      // #end
      ;
      let other$r = 0.0
      // #for h PAIRS
        + select(0.0, half$r_$h, isOther$h)
      // #end
      ;
      let score$r = isModified(at$r, key, own$r + quadSwapY(other$r));
      let isSeen$r = !isMasked | (isLive & isVisible(at$r, key));
      let s$r = select(LOWEST, score$r, isSeen$r);
      let pair$r = max(s$r, quadSwapX(s$r));
      let next$r = max(m$r, max(pair$r, quadSwapY(pair$r)));
      let decay$r = exp(m$r - next$r);
      let p$r = exp(s$r - next$r);
      m$r = next$r;
      l$r = l$r * decay$r + p$r;
      // #for h PAIRS
      // #for j 2
      let w$r_$h_$j = quadBroadcast(p$r, 2u * $hu + $ju);
      // #end
      // #end
      // #end
      // #for t SLICES
      // #for h PAIRS
      // #for j 2
      let v$t_$h_$j = textureSampleLevel(valueTexels, nearest, vec2f(at$h_$j.x + u$t, at$h_$j.y), 0.0);
      // #end
      // #end
      // #for r ROWS
      acc$r_$t = acc$r_$t * decay$r
      // #for h PAIRS
      // #for j 2
        + v$t_$h_$j * w$r_$h_$j
      // #end
      // #end
      ;
      // #end
      // #end
    }
  }

  // #for r ROWS
  l$r += quadSwapX(l$r);
  l$r += quadSwapY(l$r);
  l$r *= f32(PAIRS) / 2.0;
  if (split < params.splits && rowStart + $ru < rowsPerHead) {
    let isEmpty = m$r < MASKED_BELOW;
    let inverse = select(1.0 / l$r, 0.0, isEmpty);
    let at = (rowBase + row$r) * params.splits + split;
    // #for t SLICES
    if (dim$t < DIMS) {
      output[at * DIMS + dim$t] = acc$r_$t * inverse;
    }
    // #end
    if (lane == 0u) {
      lse[at] = select(m$r + log(l$r), LOWEST, isEmpty);
    }
  }
  // #end
}
