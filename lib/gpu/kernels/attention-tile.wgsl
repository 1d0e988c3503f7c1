// O = softmax(scale Q K^T + mask) V and LSE, by online softmax over a list of key blocks
// (Dao 2023, FlashAttention-2, algorithm 1), staged through workgroup memory.
//
// A workgroup of 8 x 8 threads owns 32 query rows and visits blocks of 32 keys; a thread owns
// 4 rows x 4 keys of the scores and 4 rows x SLICES vec4 of the output. Q, K and V pass through
// memory 32 dims at a time; rows of a tile are padded to 9 vec4 against bank conflicts.
// Shared memory: 4,608 + 4,608 + 4,096 + 1,024 = 14,336 bytes.
//
// Tensors and list as in `attention-quad.wgsl`. Grid: query blocks, batch x queryHeads, 1.
const SLICES: u32 = 2;
const PITCH: u32 = 9;

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

var<workgroup> queryTile: array<vec4f, 32 * PITCH>;
var<workgroup> keyTile: array<vec4f, 32 * PITCH>;
// [key, thread row]: the probabilities of four rows.
var<workgroup> weights: array<vec4f, 32 * 8>;
var<workgroup> maxima: array<vec4f, 64>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let tx = local.x;
  let ty = local.y;
  let block = params.blockStart + group.x;
  let batchHead = params.headStart + group.y;
  let batch = batchHead / params.queryHeads;
  let head = batchHead % params.queryHeads;
  let kvHead = head / (params.queryHeads / params.kvHeads);
  let headRow = batchHead * params.queries;
  let keyRow = (batch * params.kvHeads + kvHead) * params.keys;
  let lastKey = params.keys - 1u;
  let lastQuery = params.queries - 1u;
  let width = params.headVectors;
  let row = block * 32u + ty * 4u;

  var m = vec4f(LOWEST);
  var l = vec4f();
  // #for t SLICES
  var acc$t = mat4x4f();
  // #end

  let rows = fourRows(batch, head, row);
  let listRow = batch * params.listStride + head * params.listHeadStride + block;
  let first = listRows[listRow].x;
  let firstPartial = first + listRows[listRow].y;
  let end = listRows[listRow + 1u].x;
  for (var e = first; e < end; e++) {
    let keyStart = entries[e] * 32u;
    // #for c 4
    var s$c = vec4f();
    // #end
    for (var start = 0u; start < width; start += 8u) {
      workgroupBarrier();
      for (var i = thread; i < 256u; i += 64u) {
        let tileRow = i / 8u;
        let dim = start + i % 8u;
        let at = tileRow * PITCH + i % 8u;
        let isInside = dim < width;
        let queryAt = (headRow + min(block * 32u + tileRow, lastQuery)) * width + min(dim, width - 1u);
        let keyAt = (keyRow + min(keyStart + tileRow, lastKey)) * width + min(dim, width - 1u);
        queryTile[at] = select(vec4f(), query[queryAt], isInside);
        keyTile[at] = select(vec4f(), loaded(key[keyAt]), isInside);
      }
      workgroupBarrier();
      for (var d = 0u; d < 8u; d++) {
        // #for j 4
        let q$j = queryTile[(ty * 4u + $ju) * PITCH + d];
        // #end
        // #for c 4
        {
          let k = keyTile[($cu * 8u + tx) * PITCH + d];
          s$c += vec4f(dot(q0, k), dot(q1, k), dot(q2, k), dot(q3, k));
        }
        // #end
      }
    }
    // #for c 4
    s$c = areModified(rows, keyStart + $cu * 8u + tx, s$c * params.scale);
    // #end
    if (e >= firstPartial || keyStart + 32u > params.keys) {
      // #for c 4
      s$c = select(vec4f(LOWEST), s$c, areVisible(rows, keyStart + $cu * 8u + tx));
      // #end
    }
    maxima[ty * 8u + tx] = max(max(s0, s1), max(s2, s3));
    workgroupBarrier();
    var most = m;
    for (var i = 0u; i < 8u; i++) {
      most = max(most, maxima[ty * 8u + i]);
    }
    let decay = exp(m - most);
    m = most;
    l *= decay;
    // #for c 4
    {
      let p = exp(s$c - m);
      l += p;
      weights[($cu * 8u + tx) * 8u + ty] = p;
    }
    // #end
    // #for t SLICES
    acc$t[0] *= decay.x;
    acc$t[1] *= decay.y;
    acc$t[2] *= decay.z;
    acc$t[3] *= decay.w;
    // The first barrier also makes the weights visible.
    workgroupBarrier();
    for (var i = thread; i < 256u; i += 64u) {
      let dim = min($tu * 8u + i % 8u, width - 1u);
      let valueAt = (keyRow + min(keyStart + i / 8u, lastKey)) * width + dim;
      keyTile[(i / 8u) * PITCH + i % 8u] = loaded(value[valueAt]);
    }
    workgroupBarrier();
    for (var i = 0u; i < 32u; i++) {
      let p = weights[i * 8u + ty];
      let v = keyTile[i * PITCH + tx];
      acc$t += mat4x4f(v * p.x, v * p.y, v * p.z, v * p.w);
    }
    // #end
  }

  workgroupBarrier();
  maxima[ty * 8u + tx] = l;
  workgroupBarrier();
  var total = vec4f();
  for (var i = 0u; i < 8u; i++) {
    total += maxima[ty * 8u + i];
  }
  let inverse = select(1.0 / total, vec4f(), m < vec4f(MASKED_BELOW));
  // #for j 4
  if (row + $ju < params.queries) {
    let at = headRow + row + $ju;
    // #for t SLICES
    if ($tu * 8u + tx < width) {
      output[at * width + $tu * 8u + tx] = acc$t[$j] * inverse[$j];
    }
    // #end
    if (tx == 0u) {
      lse[at] = select(m[$j] + log(total[$j]), LOWEST, m[$j] < MASKED_BELOW);
    }
  }
  // #end
}
