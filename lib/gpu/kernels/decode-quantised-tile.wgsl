// Split-KV attention for few queries over packed keys and values, which are unpacked in registers
// and never stored; staged through workgroup memory like `decode-tile.wgsl`.
//
// A workgroup of 64 threads owns one split of one row and visits blocks of 64 keys: first a
// thread owns a key, then a word of the output's channels and every PARTS-th key,
// PARTS = 64 / words of a value row. One scale per token (SCALES = 1) is taken out of the products.
// Shared memory: 256 + 256 + 1,024 = 1,536 bytes.
// Grid: splits, batch x kvHeads, rows that share a KV head.

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

var<workgroup> scores: array<f32, 64>;
var<workgroup> weights: array<f32, 64>;
var<workgroup> sums: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let width = params.headVectors;
  let keyWords = width / VECTORS_0;
  let valueWords = width / VECTORS_1;
  let split = group.x;
  let batchKvHead = params.headStart + group.y;
  let batch = batchKvHead / params.kvHeads;
  let row = batchKvHead * params.queries * (params.queryHeads / params.kvHeads) + group.z;
  let keyRow = batchKvHead * params.keys;
  let lastKey = params.keys - 1u;
  let kvHead = batchKvHead % params.kvHeads;
  let head = kvHead * (params.queryHeads / params.kvHeads) + group.z / params.queries;
  let at = oneRow(batch, head, group.z % params.queries);
  let parts = 64u / valueWords;
  let valueWord = thread % valueWords;
  let part = thread / valueWords;

  let listRow = batch * params.listStride + kvHead * params.listHeadStride;
  let listStart = listRows[listRow].x;
  let firstPartial = listStart + listRows[listRow].y;
  let listEnd = listRows[listRow + 1u].x;
  let first = listStart + split * params.entriesPerSplit;
  let end = min(first + params.entriesPerSplit, listEnd);

  var querySum = vec4f();
  for (var d = 0u; d < width; d++) {
    querySum += query[row * width + d];
  }

  var m = LOWEST;
  var l = 0.0;
  // Weighted zeros of one scale per token: the same for every channel.
  var zero = 0.0;
  // #for v VECTORS_1
  var acc$v = vec4f();
  // #end
  for (var e = first; e < end; e++) {
    let keyStart = entries[e] * 64u;
    let keyIndex = keyStart + thread;
    let token = min(keyIndex, lastKey);
    let keyAt = (keyRow + token) * keyWords;
    let keyScales = scaleRow0(batchKvHead, token);
    var products = vec4f();
    for (var w = 0u; w < keyWords; w++) {
      let word = packed0[keyAt + w];
      // #for v VECTORS_0
      {
        let vector = w * VECTORS_0 + $vu;
        var k = codes0_$v(word);
        if (SCALES_0 > 1u) {
          k = values0(k, keyScales, vector);
        }
        products += query[row * width + vector] * k;
      }
      // #end
    }
    if (SCALES_0 == 1u) {
      products *= number0(packedParams.tensors[0].scales, keyScales);
      if (SIGNED_0 == 0u) {
        products += querySum * number0(packedParams.tensors[0].zeros, keyScales);
      }
    }
    var s = isModified(at, keyIndex, dot(products, vec4f(params.scale)));
    if ((e >= firstPartial || keyStart + 64u > params.keys) && !isVisible(at, keyIndex)) {
      s = LOWEST;
    }
    scores[thread] = s;
    workgroupBarrier();
    var most = m;
    for (var i = 0u; i < 64u; i++) {
      most = max(most, scores[i]);
    }
    let decay = exp(m - most);
    m = most;
    let p = exp(s - m);
    l = l * decay + p;
    var weight = p;
    if (SCALES_1 == 1u) {
      let valueScale = scaleRow1(batchKvHead, token);
      weight = p * number1(packedParams.tensors[1].scales, valueScale);
      if (SIGNED_1 == 0u) {
        zero = zero * decay + p * number1(packedParams.tensors[1].zeros, valueScale);
      }
    }
    weights[thread] = weight;
    workgroupBarrier();
    // #for v VECTORS_1
    acc$v *= decay;
    // #end
    if (part < parts) {
      for (var i = part; i < 64u; i += parts) {
        let valueToken = min(keyStart + i, lastKey);
        let word = packed1[(keyRow + valueToken) * valueWords + valueWord];
        let weighed = weights[i];
        let valueScales = scaleRow1(batchKvHead, valueToken);
        // #for v VECTORS_1
        {
          var v = codes1_$v(word);
          if (SCALES_1 > 1u) {
            v = values1(v, valueScales, valueWord * VECTORS_1 + $vu);
          }
          acc$v += weighed * v;
        }
        // #end
      }
    }
  }

  scores[thread] = l;
  weights[thread] = zero;
  workgroupBarrier();
  var total = 0.0;
  var zeros = 0.0;
  for (var i = 0u; i < 64u; i++) {
    total += scores[i];
    zeros += weights[i];
  }
  let isEmpty = m < MASKED_BELOW;
  let outputAt = row * params.splits + split;
  // #for v VECTORS_1
  workgroupBarrier();
  sums[thread] = acc$v;
  workgroupBarrier();
  if (part == 0u) {
    var sum = vec4f(zeros);
    for (var i = 0u; i < parts; i++) {
      sum += sums[i * valueWords + valueWord];
    }
    output[outputAt * width + valueWord * VECTORS_1 + $vu] =
      select(sum / total, vec4f(), isEmpty);
  }
  // #end
  if (thread == 0u) {
    lse[outputAt] = select(m + log(total), LOWEST, isEmpty);
  }
}
