// Split-KV attention for few queries over keys and values in pages (Kwon et al. 2023,
// PagedAttention): token t of batch entry b lies in page table[b, t / PAGE_TOKENS] of the pools, at
// row t % PAGE_TOKENS. Queries are the last of each entry's own length; staged through workgroup
// memory like `decode-tile.wgsl`.
//
// Pools [pages, kvHeads, PAGE_TOKENS, headVectors]; table [batch, maxPages]; lengths [batch], at least
// 1. `params.keys` is maxPages x PAGE_TOKENS, an entry of the walk is 64 keys.
// Shared memory: 256 + 256 + 1,024 = 1,536 bytes.
// Grid: splits, batch x kvHeads, rows that share a KV head.

const PAGE_TOKENS: u32 = 16;
// A query sees the keys up to its own position.
const CAUSAL: u32 = 0;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "paged.wgsl"

var<workgroup> scores: array<f32, 64>;
var<workgroup> weights: array<f32, 64>;
var<workgroup> sums: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let width = params.headVectors;
  let split = group.x;
  let batchKvHead = params.headStart + group.y;
  let batch = batchKvHead / params.kvHeads;
  let kvHead = batchKvHead % params.kvHeads;
  let row = batchKvHead * params.queries * (params.queryHeads / params.kvHeads) + group.z;
  let length = lengthOf(batch);
  let seen = seenKeys(length, group.z % params.queries);
  let parts = 64u / width;
  let dim = thread % width;
  let part = thread / width;

  let first = split * params.entriesPerSplit * 64u;
  let end = min(first + params.entriesPerSplit * 64u, length);

  var m = LOWEST;
  var l = 0.0;
  var acc = vec4f();
  for (var keyStart = first; keyStart < end; keyStart += 64u) {
    let key = keyStart + thread;
    let keyAt = tokenRow(batch, kvHead, min(key, length - 1u)) * width;
    var products = vec4f();
    for (var d = 0u; d < width; d++) {
      products += query[row * width + d] * loaded(keyPool[keyAt + d]);
    }
    let s = select(LOWEST, dot(products, vec4f(params.scale)), key < seen);
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
        let valueAt = tokenRow(batch, kvHead, min(keyStart + i, length - 1u)) * width;
        acc += weights[i] * loaded(valuePool[valueAt + dim]);
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
