// Split-KV attention for few queries over packed keys and values, which are unpacked in registers
// and never stored; work is divided as in `decode-quad.wgsl`. Codes are unpacked once for ROWS
// rows. Shared memory: 0 bytes.
//
// Scales leave the inner loops where they can: one per token (SCALES = 1) multiplies the score,
// or the weight; with FOLDS_KEY, where a whole block of keys has the same scale per channel, the
// query takes them on once per block.
//
// Grid: ceil(splits / (WORKGROUP / 4)), batch x kvHeads, row groups x ceil(words / (4 SLICES)),
// words of a value row.
enable subgroups;

const ROWS: u32 = 1;
const KEY_STEPS: u32 = 8;
// Words of a value row per lane.
const SLICES: u32 = 4;
const FOLDS_KEY: u32 = 0;
override WORKGROUP: u32 = 16;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "variant.wgsl"
// #include "packed-codes.wgsl"
// #include "quantised.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var<storage, read> packed0: array<u32>;
@group(0) @binding(2) var<storage, read> packed1: array<u32>;
@group(0) @binding(3) var<storage, read> tableValues: array<f32>;
@group(0) @binding(4) var<storage, read> listRows: array<vec2u>;
@group(0) @binding(5) var<storage, read> entries: array<u32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> packedParams: PackedParams;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) subgroupThread: u32,
) {
  let lane = subgroupThread & 3u;
  let width = params.headVectors;
  let keyWords = width / VECTORS_0;
  let valueWords = width / VECTORS_1;
  let chunks = (valueWords + 4u * SLICES - 1u) / (4u * SLICES);
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
  let scales0 = packedParams.tensors[0].scales;
  let zeros0 = packedParams.tensors[0].zeros;
  let scales1 = packedParams.tensors[1].scales;
  let zeros1 = packedParams.tensors[1].zeros;

  // #for t SLICES
  let word$t = ((group.z % chunks) * SLICES + $tu) * 4u + lane;
  let slice$t = min(word$t, valueWords - 1u);
  // #end
  // #for r ROWS
  let row$r = min(rowStart + $ru, rowsPerHead - 1u);
  let queryAt$r = (rowBase + row$r) * width;
  let at$r = oneRow(batch, kvHead * heads + row$r / params.queries, row$r % params.queries);
  var m$r = LOWEST;
  var l$r = 0.0;
  // Weighted zeros of one scale per token: the same for every channel.
  var zero$r = 0.0;
  var querySum$r = vec4f();
  if (SCALES_0 == 1u && SIGNED_0 == 0u) {
    for (var d = 0u; d < width; d++) {
      querySum$r += query[queryAt$r + d];
    }
  }
  // #for t SLICES
  // #for v VECTORS_1
  var acc$r_$t_$v = vec4f();
  // #end
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
    let blockScales = scaleRow0(batchKvHead, min(keyStart, lastKey));
    // #for r ROWS
    var bias$r = vec4f();
    // #end
    // #for c KEY_STEPS
    let token$c = min(keyStart + 4u * $cu + lane, lastKey);
    let keyAt$c = (keyRow + token$c) * keyWords;
    let keyScales$c = scaleRow0(batchKvHead, token$c);
    // #for r ROWS
    var dot$r_$c = vec4f();
    // #end
    // #end
    for (var w = 0u; w < keyWords; w++) {
      // #for v VECTORS_0
      let vector$v = w * VECTORS_0 + $vu;
      // #for r ROWS
      var q$r_$v = query[queryAt$r + vector$v];
      // #end
      if (FOLDS_KEY == 1u) {
        let scale = vectorNumbers0(scales0, blockScales, vector$v);
        var zero = vec4f();
        if (SIGNED_0 == 0u) {
          zero = vectorNumbers0(zeros0, blockScales, vector$v);
        }
        // #for r ROWS
        bias$r += q$r_$v * zero;
        q$r_$v *= scale;
        // #end
      }
      // #end
      // #for c KEY_STEPS
      {
        let word = packed0[keyAt$c + w];
        // #for v VECTORS_0
        {
          var k = codes0_$v(word);
          if (SCALES_0 > 1u && FOLDS_KEY == 0u) {
            k = values0(k, keyScales$c, vector$v);
          }
          // #for r ROWS
          dot$r_$c += q$r_$v * k;
          // #end
        }
        // #end
      }
      // #end
    }
    // #for c KEY_STEPS
    if (SCALES_0 == 1u) {
      let scale = number0(scales0, keyScales$c);
      // #for r ROWS
      dot$r_$c *= scale;
      // #end
      if (SIGNED_0 == 0u) {
        let zero = number0(zeros0, keyScales$c);
        // #for r ROWS
        dot$r_$c += querySum$r * zero;
        // #end
      }
    }
    var valueScale$c = 1.0;
    var valueZero$c = 0.0;
    if (SCALES_1 == 1u) {
      let valueScales = scaleRow1(batchKvHead, token$c);
      valueScale$c = number1(scales1, valueScales);
      if (SIGNED_1 == 0u) {
        valueZero$c = number1(zeros1, valueScales);
      }
    }
    // #end
    let isMasked = e >= firstPartial || keyStart + 4u * KEY_STEPS > params.keys;
    // #for r ROWS
    var p$r: array<f32, KEY_STEPS>;
    {
      // #for c KEY_STEPS
      let key$c = keyStart + 4u * $cu + lane;
      var s$c = isModified(at$r, key$c, dot(dot$r_$c + bias$r, vec4f(params.scale)));
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
      zero$r *= decay;
      // #for c KEY_STEPS
      let weight$c = exp(s$c - m);
      l$r += weight$c;
      zero$r += weight$c * valueZero$c;
      p$r[$c] = weight$c * valueScale$c;
      // #end
      // #for t SLICES
      // #for v VECTORS_1
      acc$r_$t_$v *= decay;
      // #end
      // #end
    }
    // #end
    for (var c = 0u; c < KEY_STEPS; c++) {
      // #for r ROWS
      let own$r = p$r[c];
      // #end
      // #for j 4
      {
        let token = min(keyStart + 4u * c + $ju, lastKey);
        let valueAt = (keyRow + token) * valueWords;
        let valueScales = scaleRow1(batchKvHead, token);
        // #for r ROWS
        let w$r = quadBroadcast(own$r, $ju);
        // #end
        // #for t SLICES
        {
          let word = packed1[valueAt + slice$t];
          // #for v VECTORS_1
          {
            var v = codes1_$v(word);
            if (SCALES_1 > 1u) {
              v = values1(v, valueScales, slice$t * VECTORS_1 + $vu);
            }
            // #for r ROWS
            acc$r_$t_$v += v * w$r;
            // #end
          }
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
  zero$r += quadSwapX(zero$r);
  zero$r += quadSwapY(zero$r);
  if (split < params.splits && rowStart + $ru < rowsPerHead) {
    let isEmpty = m$r < MASKED_BELOW;
    let inverse = select(1.0 / l$r, 0.0, isEmpty);
    let at = (rowBase + row$r) * params.splits + split;
    // #for t SLICES
    if (word$t < valueWords) {
      // #for v VECTORS_1
      output[at * width + word$t * VECTORS_1 + $vu] = (acc$r_$t_$v + zero$r) * inverse;
      // #end
    }
    // #end
    if (word0 == 0u) {
      lse[at] = select(m$r + log(l$r), LOWEST, isEmpty);
    }
  }
  // #end
}
