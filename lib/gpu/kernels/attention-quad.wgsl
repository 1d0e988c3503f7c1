// O = softmax(scale Q K^T + mask) V and LSE, by online softmax over a list of key blocks
// (Dao 2023, FlashAttention-2, algorithm 1), without shared memory or barriers.
//
// Four lanes (a quad) own ROWS = 4 ROW_GROUPS query rows. For the scores each lane owns
// KEY_STEPS keys of a block; for the output each lane owns SLICES vec4 of every row. What the
// lanes need of each other travels by quadBroadcast, so every loaded number is loaded once per
// quad. A workgroup is WORKGROUP / 4 quads with one block list row. Shared memory: 0 bytes.
//
// query, output [batch, queryHeads, queries, headVectors]; key, value [batch, kvHeads, keys,
// headVectors]; lse [batch, queryHeads, queries]; listRows [batch or 1, queryHeads or 1,
// queryBlocks + 1] holds (first entry, full entries); entries hold key blocks.
// Grid: query blocks, batch x queryHeads, ceil(headVectors / (4 SLICES)).
enable subgroups;

const ROW_GROUPS: u32 = 2;
const KEY_STEPS: u32 = 4;
const SLICES: u32 = 4;
override WORKGROUP: u32 = 4;

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

fn writeRow(row: u32, headRow: u32, dim: u32, vector: vec4f) {
  if (row < params.queries && dim < params.headVectors) {
    output[(headRow + row) * params.headVectors + dim] = vector;
  }
}

fn writeLse(row: u32, headRow: u32, dim: u32, m: f32, l: f32) {
  if (row < params.queries && dim == 0u) {
    lse[headRow + row] = select(m + log(l), LOWEST, m < MASKED_BELOW);
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) subgroupThread: u32,
) {
  let lane = subgroupThread & 3u;
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
  let row = (block * (WORKGROUP / 4u) + thread / 4u) * (4u * ROW_GROUPS);

  // #for t SLICES
  let dim$t = (group.z * SLICES + $tu) * 4u + lane;
  let slice$t = min(dim$t, width - 1u);
  // #end
  // #for g ROW_GROUPS
  let queryAt$g = (headRow + min(row + 4u * $gu + lane, lastQuery)) * width;
  var m$g = vec4f(LOWEST);
  var l$g = vec4f();
  // #for t SLICES
  var acc$g_$t = mat4x4f();
  // #end
  // #end

  let listRow = batch * params.listStride + head * params.listHeadStride + block;
  let first = listRows[listRow].x;
  let firstPartial = first + listRows[listRow].y;
  let end = listRows[listRow + 1u].x;
  for (var e = first; e < end; e++) {
    let keyStart = entries[e] * (4u * KEY_STEPS);
    // #for c KEY_STEPS
    let keyAt$c = (keyRow + min(keyStart + 4u * $cu + lane, lastKey)) * width;
    // #for g ROW_GROUPS
    var s$g_$c = vec4f();
    // #end
    // #end
    for (var d = 0u; d < width; d++) {
      // #for c KEY_STEPS
      let k$c = loaded(key[keyAt$c + d]);
      // #end
      // #for g ROW_GROUPS
      {
        let q = query[queryAt$g + d];
        let q0 = quadBroadcast(q, 0u);
        let q1 = quadBroadcast(q, 1u);
        let q2 = quadBroadcast(q, 2u);
        let q3 = quadBroadcast(q, 3u);
        // #for c KEY_STEPS
        s$g_$c += vec4f(dot(q0, k$c), dot(q1, k$c), dot(q2, k$c), dot(q3, k$c));
        // #end
      }
      // #end
    }
    // #for g ROW_GROUPS
    let rows$g = fourRows(batch, head, row + 4u * $gu);
    // #for c KEY_STEPS
    s$g_$c = areModified(rows$g, keyStart + 4u * $cu + lane, s$g_$c * params.scale);
    // #end
    // #end
    if (e >= firstPartial || keyStart + 4u * KEY_STEPS > params.keys) {
      // #for g ROW_GROUPS
      // #for c KEY_STEPS
      s$g_$c = select(vec4f(LOWEST), s$g_$c, areVisible(rows$g, keyStart + 4u * $cu + lane));
      // #end
      // #end
    }
    // #for g ROW_GROUPS
    var p$g: array<vec4f, KEY_STEPS>;
    {
      var most = s$g_0;
      // #for c KEY_STEPS
      most = max(most, s$g_$c);
      // #end
      most = max(most, quadSwapX(most));
      most = max(most, quadSwapY(most));
      let m = max(m$g, most);
      let decay = exp(m$g - m);
      m$g = m;
      l$g *= decay;
      // #for c KEY_STEPS
      p$g[$c] = exp(s$g_$c - m);
      l$g += p$g[$c];
      // #end
      // #for t SLICES
      acc$g_$t[0] *= decay.x;
      acc$g_$t[1] *= decay.y;
      acc$g_$t[2] *= decay.z;
      acc$g_$t[3] *= decay.w;
      // #end
    }
    // #end
    for (var c = 0u; c < KEY_STEPS; c++) {
      // #for g ROW_GROUPS
      let own$g = p$g[c];
      // #end
      // #for j 4
      {
        let valueAt = (keyRow + min(keyStart + 4u * c + $ju, lastKey)) * width;
        // #for t SLICES
        let v$t = loaded(value[valueAt + slice$t]);
        // #end
        // #for g ROW_GROUPS
        {
          let p = quadBroadcast(own$g, $ju);
          // #for t SLICES
          acc$g_$t += mat4x4f(v$t * p.x, v$t * p.y, v$t * p.z, v$t * p.w);
          // #end
        }
        // #end
      }
      // #end
    }
  }

  // #for g ROW_GROUPS
  l$g += quadSwapX(l$g);
  l$g += quadSwapY(l$g);
  {
    let inverse = select(1.0 / l$g, vec4f(), m$g < vec4f(MASKED_BELOW));
    // #for j 4
    {
      let rowAt = row + 4u * $gu + $ju;
      // #for t SLICES
      writeRow(rowAt, headRow, dim$t, acc$g_$t[$j] * inverse[$j]);
      // #end
      writeLse(rowAt, headRow, dim0, m$g[$j], l$g[$j]);
    }
    // #end
  }
  // #end
}
