// Split-KV attention for few queries (Dao et al. 2023, Flash-Decoding): every split of the list
// of key blocks yields a normalised output and its LSE; `merge-splits.wgsl` joins them.
//
// A quad owns one split of ROWS rows that share a KV head (queries of all query heads of the
// group). Scores: each lane owns KEY_STEPS keys of a block. Output: each lane owns SLICES vec4.
// All quads of a workgroup take the same number of steps, so that control flow is uniform; steps
// beyond a split's end see every key masked. Shared memory: 0 bytes.
//
// Tensors as in `attention-quad.wgsl`; output [batch x queryHeads x queries, splits, headVectors],
// lse [batch x queryHeads x queries, splits].
// Grid: ceil(splits / (WORKGROUP / 4)), batch x kvHeads, row groups x ceil(headVectors / (4 SLICES)).
enable subgroups;

const ROWS: u32 = 1;
const KEY_STEPS: u32 = 8;
const SLICES: u32 = 4;
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
  let width = params.headVectors;
  let chunks = (width + 4u * SLICES - 1u) / (4u * SLICES);
  let split = group.x * (WORKGROUP / 4u) + thread / 4u;
  let batchKvHead = params.headStart + group.y;
  let batch = batchKvHead / params.kvHeads;
  let kvHead = batchKvHead % params.kvHeads;
  let heads = params.queryHeads / params.kvHeads;
  let rowsPerHead = params.queries * heads;
  let rowStart = (group.z / chunks) * ROWS;
  let rowBase = batchKvHead * rowsPerHead;
  let keyRow = batchKvHead * params.keys;
  let lastKey = params.keys - 1u;

  // #for t SLICES
  let dim$t = ((group.z % chunks) * SLICES + $tu) * 4u + lane;
  let slice$t = min(dim$t, width - 1u);
  // #end
  // #for r ROWS
  let row$r = min(rowStart + $ru, rowsPerHead - 1u);
  let queryAt$r = (rowBase + row$r) * width;
  let at$r = oneRow(batch, kvHead * heads + row$r / params.queries, row$r % params.queries);
  var m$r = LOWEST;
  var l$r = 0.0;
  // #for t SLICES
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
    let keyStart = select(0u, entries[min(e, max(end, 1u) - 1u)], end > first) * (4u * KEY_STEPS);
    // #for c KEY_STEPS
    let keyAt$c = (keyRow + min(keyStart + 4u * $cu + lane, lastKey)) * width;
    // #for r ROWS
    var dot$r_$c = vec4f();
    // #end
    // #end
    for (var d = 0u; d < width; d++) {
      // #for r ROWS
      let q$r = query[queryAt$r + d];
      // #end
      // #for c KEY_STEPS
      {
        let k = loaded(key[keyAt$c + d]);
        // #for r ROWS
        dot$r_$c += q$r * k;
        // #end
      }
      // #end
    }
    let isMasked = e >= firstPartial || keyStart + 4u * KEY_STEPS > params.keys;
    // #for r ROWS
    var p$r: array<f32, KEY_STEPS>;
    {
      // #for c KEY_STEPS
      let key$c = keyStart + 4u * $cu + lane;
      var s$c = isModified(at$r, key$c, dot(dot$r_$c, vec4f(params.scale)));
      let isSeen$c = !isMasked | (isLive & isVisible(at$r, key$c));
      s$c = select(LOWEST, s$c, isSeen$c);
      // #end
      var most = s0;
      // #for c KEY_STEPS
      most = max(most, s$c);
      // #end
      most = max(most, quadSwapX(most));
      most = max(most, quadSwapY(most));
      let m = max(m$r, most);
      let decay = exp(m$r - m);
      m$r = m;
      l$r *= decay;
      // #for c KEY_STEPS
      p$r[$c] = exp(s$c - m);
      l$r += p$r[$c];
      // #end
      // #for t SLICES
      acc$r_$t *= decay;
      // #end
    }
    // #end
    for (var c = 0u; c < KEY_STEPS; c++) {
      // #for r ROWS
      let own$r = p$r[c];
      // #end
      // #for j 4
      {
        let valueAt = (keyRow + min(keyStart + 4u * c + $ju, lastKey)) * width;
        // #for r ROWS
        let w$r = quadBroadcast(own$r, $ju);
        // #end
        // #for t SLICES
        {
          let v = loaded(value[valueAt + slice$t]);
          // #for r ROWS
          acc$r_$t += v * w$r;
          // #end
        }
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
    if (dim$t < width) {
      output[at * width + dim$t] = acc$r_$t * inverse;
    }
    // #end
    if (dim0 == 0u) {
      lse[at] = select(m$r + log(l$r), LOWEST, isEmpty);
    }
  }
  // #end
}
