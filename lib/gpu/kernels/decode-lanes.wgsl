// Split-KV attention for few queries (Dao et al. 2023, Flash-Decoding): every split of the list
// of key blocks yields a normalised output and its LSE; `merge-splits.wgsl` joins them.
//
// A quad owns one split of ROWS rows that share a KV head (queries of all query heads of the
// group). Scores: each lane owns a key of every four, with the whole queries in private arrays
// under constant indices. Output: each lane owns SLICES vec4 of every row; lane l takes the keys
// l, l ^ 1, l ^ 2 and l ^ 3 in that order, whose weights come by quadSwap.
// All quads of a workgroup take the same number of steps, so that control flow is uniform; steps
// beyond a split's end see every key masked. Shared memory: 0 bytes.
//
// Tensors as in `attention-rows.wgsl`; output [batch x queryHeads x queries, splits, DIMS],
// lse [batch x queryHeads x queries, splits].
// Grid: ceil(splits / (WORKGROUP / 4)), batch x kvHeads, row groups.
enable subgroups;

const ROWS: u32 = 1;
// headSize / 4, and a quarter of it rounded up.
const DIMS: u32 = 16;
const SLICES: u32 = 4;
// Keys that are taken at once, and a key block's, in fours.
const KEY_GROUPS: u32 = 1;
const BLOCK_GROUPS: u32 = 8;
override WORKGROUP: u32 = 16;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "variant.wgsl"
// #include "stored.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var<storage, read> key: array<Stored>;
@group(0) @binding(2) var<storage, read> value: array<Stored>;
@group(0) @binding(3) var<storage, read> tableValues: array<f32>;
@group(0) @binding(4) var<storage, read> listRows: array<vec2u>;
@group(0) @binding(5) var<storage, read> entries: array<u32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) subgroupThread: u32,
) {
  let lane = subgroupThread & 3u;
  let lanes = vec4u(lane) ^ vec4u(0u, 1u, 2u, 3u);
  let split = group.x * (WORKGROUP / 4u) + thread / 4u;
  let batchKvHead = params.headStart + group.y;
  let batch = batchKvHead / params.kvHeads;
  let kvHead = batchKvHead % params.kvHeads;
  let heads = params.queryHeads / params.kvHeads;
  let rowsPerHead = params.queries * heads;
  let rowStart = group.z * ROWS;
  let rowBase = batchKvHead * rowsPerHead;
  let keyRow = batchKvHead * params.keys;
  let lastKey = params.keys - 1u;

  // #for t SLICES
  let dim$t = 4u * $tu + lane;
  let slice$t = min(dim$t, DIMS - 1u);
  // #end
  // #for r ROWS
  let row$r = min(rowStart + $ru, rowsPerHead - 1u);
  let queryAt$r = (rowBase + row$r) * DIMS;
  let at$r = oneRow(batch, kvHead * heads + row$r / params.queries, row$r % params.queries);
  var m$r = LOWEST;
  var l$r = 0.0;
  var q$r: array<vec4f, DIMS>;
  // #for t SLICES
  var acc$r_$t = vec4f();
  // #end
  // #end
  for (var d = 0u; d < DIMS; d++) {
    // #for r ROWS
    q$r[d] = query[queryAt$r + d] * params.scale;
    // #end
  }

  let listRow = batch * params.listStride + kvHead * params.listHeadStride;
  let first = listRows[listRow].x;
  let firstPartial = first + listRows[listRow].y;
  let end = listRows[listRow + 1u].x;
  for (var i = 0u; i < params.entriesPerSplit; i++) {
    let e = first + split * params.entriesPerSplit + i;
    let isLive = e < end;
    // A dead step reads the list's last block; where the list is empty, block 0.
    let block = select(0u, entries[min(e, max(end, 1u) - 1u)], end > first);
    let blockStart = block * (4u * BLOCK_GROUPS);
    let isMasked = e >= firstPartial || blockStart + 4u * BLOCK_GROUPS > params.keys;
    for (var c = 0u; c < BLOCK_GROUPS; c += KEY_GROUPS) {
      let keyStart = blockStart + 4u * c;
      // #for g KEY_GROUPS
      let key$g = keyStart + 4u * $gu + lane;
      let keyAt$g = (keyRow + min(key$g, lastKey)) * DIMS;
      // #for d DIMS
      let k$g_$d = loaded(key[keyAt$g + $du]);
      // #end
      let valueAt$g = (vec4u(keyRow) + min(vec4u(keyStart + 4u * $gu) + lanes, vec4u(lastKey))) * DIMS;
      // #for t SLICES
      let v$g_$t = mat4x4f(
        loaded(value[valueAt$g.x + slice$t]),
        loaded(value[valueAt$g.y + slice$t]),
        loaded(value[valueAt$g.z + slice$t]),
        loaded(value[valueAt$g.w + slice$t]),
      );
      // #end
      // #end
      // #for r ROWS
      {
        // #for g KEY_GROUPS
        let dots$g = vec4f()
        // #for d DIMS
          + q$r[$d] * k$g_$d
        // #end
        ;
        let score$g = isModified(at$r, key$g, dot(dots$g, vec4f(1.0)));
        let isSeen$g = !isMasked | (isLive & isVisible(at$r, key$g));
        let s$g = select(LOWEST, score$g, isSeen$g);
        // #end
        var most = s0;
        // #for g KEY_GROUPS
        most = max(most, s$g);
        // #end
        most = max(most, quadSwapX(most));
        most = max(most, quadSwapY(most));
        let next = max(m$r, most);
        let decay = exp(m$r - next);
        m$r = next;
        // #for g KEY_GROUPS
        let own$g = exp(s$g - next);
        let p$g = vec4f(own$g, quadSwapX(own$g), quadSwapY(own$g), quadSwapDiagonal(own$g));
        // #end
        l$r = l$r * decay
        // #for g KEY_GROUPS
          + own$g
        // #end
        ;
        // #for t SLICES
        acc$r_$t = acc$r_$t * decay
        // #for g KEY_GROUPS
          + v$g_$t * p$g
        // #end
        ;
        // #end
      }
      // #end
    }
  }

  // #for r ROWS
  l$r += quadSwapX(l$r);
  l$r += quadSwapY(l$r);
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
