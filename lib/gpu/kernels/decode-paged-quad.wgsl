// Split-KV attention for few queries over pages of keys and values, tensors as in
// `decode-paged.wgsl`; work is divided as in `decode-quad.wgsl`, and a block is a page, so that a
// quad looks up one page per step. Shared memory: 0 bytes.
// Grid: ceil(splits / (WORKGROUP / 4)), batch x kvHeads, row groups x ceil(headVectors / (4 SLICES)).
enable subgroups;

const ROWS: u32 = 1;
const PAGE_TOKENS: u32 = 16;
// PAGE_TOKENS / 4
const KEY_STEPS: u32 = 4;
const SLICES: u32 = 4;
const CAUSAL: u32 = 0;
override WORKGROUP: u32 = 16;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "paged.wgsl"

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
  let rowsPerHead = params.queries * (params.queryHeads / params.kvHeads);
  let rowStart = (group.z / chunks) * ROWS;
  let rowBase = batchKvHead * rowsPerHead;
  let length = lengthOf(batch);
  let lastPage = (length - 1u) / PAGE_TOKENS;

  // #for t SLICES
  let dim$t = ((group.z % chunks) * SLICES + $tu) * 4u + lane;
  let slice$t = min(dim$t, width - 1u);
  // #end
  // #for r ROWS
  let row$r = min(rowStart + $ru, rowsPerHead - 1u);
  let queryAt$r = (rowBase + row$r) * width;
  let seen$r = seenKeys(length, row$r % params.queries);
  var m$r = LOWEST;
  var l$r = 0.0;
  // #for t SLICES
  var acc$r_$t = vec4f();
  // #end
  // #end

  // All quads of a workgroup take the same steps, and those past the last page see no key; a
  // workgroup that begins past it takes none.
  let firstPage = group.x * (WORKGROUP / 4u) * params.entriesPerSplit;
  let steps = select(params.entriesPerSplit, 0u, firstPage > lastPage);
  for (var i = 0u; i < steps; i++) {
    let page = split * params.entriesPerSplit + i;
    let livePage = min(page, lastPage);
    let pageStart = pageRow(batch, kvHead, livePage);
    // Rows past the length may hold anything, NaN too.
    let lastRow = min(PAGE_TOKENS, length - livePage * PAGE_TOKENS) - 1u;
    let keyStart = page * PAGE_TOKENS;
    // #for c KEY_STEPS
    let keyAt$c = (pageStart + min(4u * $cu + lane, lastRow)) * width;
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
        let k = loaded(keyPool[keyAt$c + d]);
        // #for r ROWS
        dot$r_$c += q$r * k;
        // #end
      }
      // #end
    }
    // #for r ROWS
    var p$r: array<f32, KEY_STEPS>;
    {
      // #for c KEY_STEPS
      let isSeen$c = keyStart + 4u * $cu + lane < seen$r;
      let s$c = select(LOWEST, dot(dot$r_$c, vec4f(params.scale)), isSeen$c);
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
        let valueAt = (pageStart + min(4u * c + $ju, lastRow)) * width;
        // #for r ROWS
        let w$r = quadBroadcast(own$r, $ju);
        // #end
        // #for t SLICES
        {
          let v = loaded(valuePool[valueAt + slice$t]);
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
