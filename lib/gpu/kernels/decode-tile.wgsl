// Split-KV attention for few queries (Dao et al. 2023, Flash-Decoding), staged through workgroup
// memory; partial results as in `decode-quad.wgsl`.
//
// A workgroup of 64 threads owns one split of one row and visits blocks of 64 keys: first a
// thread owns a key, then a vec4 of the output and every PARTS-th key, PARTS = 64 / headVectors.
// Shared memory: 256 + 256 + 1,024 = 1,536 bytes.
// Grid: splits, batch x kvHeads, rows that share a KV head.

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

var<workgroup> scores: array<f32, 64>;
var<workgroup> weights: array<f32, 64>;
var<workgroup> sums: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let width = params.headVectors;
  let split = group.x;
  let batchKvHead = params.headStart + group.y;
  let batch = batchKvHead / params.kvHeads;
  let row = batchKvHead * params.queries * (params.queryHeads / params.kvHeads) + group.z;
  let keyRow = batchKvHead * params.keys;
  let lastKey = params.keys - 1u;
  let kvHead = batchKvHead % params.kvHeads;
  let head = kvHead * (params.queryHeads / params.kvHeads) + group.z / params.queries;
  let at = oneRow(batch, head, group.z % params.queries);
  let parts = 64u / width;
  let dim = thread % width;
  let part = thread / width;

  let listRow = batch * params.listStride + kvHead * params.listHeadStride;
  let listStart = listRows[listRow].x;
  let firstPartial = listStart + listRows[listRow].y;
  let listEnd = listRows[listRow + 1u].x;
  let first = listStart + split * params.entriesPerSplit;
  let end = min(first + params.entriesPerSplit, listEnd);

  var m = LOWEST;
  var l = 0.0;
  var acc = vec4f();
  for (var e = first; e < end; e++) {
    let keyStart = entries[e] * 64u;
    let keyIndex = keyStart + thread;
    let keyAt = (keyRow + min(keyIndex, lastKey)) * width;
    var products = vec4f();
    for (var d = 0u; d < width; d++) {
      products += query[row * width + d] * loaded(key[keyAt + d]);
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
    weights[thread] = p;
    workgroupBarrier();
    acc *= decay;
    if (part < parts) {
      for (var i = part; i < 64u; i += parts) {
        let valueAt = (keyRow + min(keyStart + i, lastKey)) * width + dim;
        acc += weights[i] * loaded(value[valueAt]);
      }
    }
  }

  scores[thread] = l;
  sums[thread] = acc;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < 64u; i++) {
    total += scores[i];
  }
  if (part == 0u) {
    var sum = vec4f();
    for (var i = 0u; i < parts; i++) {
      sum += sums[i * width + dim];
    }
    let isEmpty = m < MASKED_BELOW;
    let outputAt = row * params.splits + split;
    output[outputAt * width + dim] = select(sum / total, vec4f(), isEmpty);
    if (dim == 0u) {
      lse[outputAt] = select(m + log(total), LOWEST, isEmpty);
    }
  }
}
