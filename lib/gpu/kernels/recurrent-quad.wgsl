// S_t = a_t S_{t-1} (I - beta_t k_t k_t^T) + beta_t v_t k_t^T, o_t = S_t q_t, token by token with
// the state in registers: no shared memory, no barriers. The rules are those of
// lib/attention/recurrent, told apart by DECAYS_SCALAR .. NORMALISES; what is read and written by
// READS_STATE .. WRITES_DECAY (all 0 or 1).
//
// Four lanes (a quad) own 4 COLUMN_GROUPS value columns of one head. Each lane owns the key vectors
// lane, lane + 4, ... of those columns, so q and k are loaded once per quad and the dot products
// are summed by two quad swaps. The delta rules are computed as S_t = a S + u k^T with
// u = beta (v - a S k). A workgroup is WORKGROUP / 4 quads of the same head.
//
// query, key [rows, tokens, keyVectors]; value, output [rows, tokens, valueVectors];
// decay as the params say, [rows, tokens, keyVectors] per channel; writeStrength [rows, tokens];
// stateBefore, stateAfter [rows, stateRows, keyVectors], the last row the normaliser z: two buffers,
// because every quad reads z and the first one writes it; rows = batch x heads.
// Chunks of a dispatch are independent of each other: chunk c reads and writes state c of
// [chunks, rows, ...] and the product of its decays chunkDecay [chunks, rows, keyVectors]; see
// `recurrent-scan.wgsl`. A walk over all tokens has one chunk.
// Grid: ceil(valueVectors / (COLUMN_GROUPS WORKGROUP / 4)), rows, chunks.
enable subgroups;

// ceil(keyVectors / 4)
const KEY_SLICES: u32 = 4;
const COLUMN_GROUPS: u32 = 1;
const DECAYS_SCALAR: u32 = 0;
const DECAYS_CHANNELS: u32 = 0;
const DELTA: u32 = 0;
const NORMALISES: u32 = 0;
const READS_STATE: u32 = 1;
const WRITES_STATE: u32 = 1;
const WRITES_OUTPUT: u32 = 1;
const WRITES_DECAY: u32 = 0;
override WORKGROUP: u32 = 4;

// #include "recurrent-params.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var<storage, read> key: array<vec4f>;
@group(0) @binding(2) var<storage, read> value: array<vec4f>;
// #for x DECAYS_SCALAR
@group(0) @binding(3) var<storage, read> decay: array<f32>;
// #end
// #for x DECAYS_CHANNELS
@group(0) @binding(3) var<storage, read> decay: array<vec4f>;
// #end
@group(0) @binding(4) var<storage, read> writeStrength: array<f32>;
@group(0) @binding(5) var<storage, read> stateBefore: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> stateAfter: array<vec4f>;
@group(0) @binding(8) var<uniform> params: RecurrentParams;
@group(0) @binding(9) var<storage, read_write> chunkDecay: array<vec4f>;

fn quadSum(x: vec4f) -> vec4f {
  let pairs = x + quadSwapX(x);
  return pairs + quadSwapY(pairs);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) subgroupThread: u32,
) {
  let lane = subgroupThread & 3u;
  let row = group.y;
  let width = params.keyVectors;
  let firstColumn = (group.x * (WORKGROUP / 4u) + thread / 4u) * COLUMN_GROUPS;
  let tokenStart = params.tokenStart + group.z * params.chunkTokens;
  let tokenEnd = min(tokenStart + params.chunkTokens, params.tokenEnd);
  let chunkRow = (params.chunkStart + group.z) * groups.y + row;
  // #for x DECAYS_SCALAR
  let decayAt = (row % params.decayRows) * params.decayRowStride;
  // #end

  // Lanes beyond the last key vector see zeros in place of keys, so that their state stays zero.
  // #for i KEY_SLICES
  let isOwned$i = 4u * $iu + lane < width;
  let at$i = min(4u * $iu + lane, width - 1u);
  // #for x NORMALISES
  let normaliserAt$i = (chunkRow * params.stateRows + params.stateRows - 1u) * width + at$i;
  var z$i = vec4f();
  // #for y READS_STATE
  z$i = select(vec4f(), stateBefore[normaliserAt$i], isOwned$i);
  // #end
  // #end
  // #for x WRITES_DECAY
  var product$i = vec4f(1.0);
  // #end
  // #end
  // #for g COLUMN_GROUPS
  let isLive$g = firstColumn + $gu < params.valueVectors;
  let column$g = min(firstColumn + $gu, params.valueVectors - 1u);
  let stateAt$g = (chunkRow * params.stateRows + column$g * 4u) * width;
  // #for i KEY_SLICES
  // #for c 4
  var s$g_$c_$i = vec4f();
  // #for x READS_STATE
  s$g_$c_$i = select(vec4f(), stateBefore[stateAt$g + $cu * width + at$i], isOwned$i);
  // #end
  // #end
  // #end
  // #end

  for (var t = tokenStart; t < tokenEnd; t++) {
    let token = row * params.tokens + t;
    // #for g COLUMN_GROUPS
    var u$g = value[token * params.valueVectors + column$g];
    // #end
    // #for x DECAYS_SCALAR
    let a = decay[decayAt + t * params.decayTokenStride];
    // #end
    // #for i KEY_SLICES
    let k$i = select(vec4f(), key[token * width + at$i], isOwned$i);
    // #for x DECAYS_CHANNELS
    let a$i = decay[token * width + at$i];
    // #end
    // #end
    // #for x DELTA
    let strength = writeStrength[token];
    // #for g COLUMN_GROUPS
    var held$g = vec4f();
    // #for i KEY_SLICES
    held$g += vec4f(dot(s$g_0_$i, k$i), dot(s$g_1_$i, k$i), dot(s$g_2_$i, k$i), dot(s$g_3_$i, k$i));
    // #end
    held$g = quadSum(held$g);
    // #for y DECAYS_SCALAR
    held$g *= a;
    // #end
    u$g = strength * (u$g - held$g);
    // #end
    // #end

    // #for g COLUMN_GROUPS
    var o$g = vec4f();
    // #end
    // #for x NORMALISES
    var weight = vec4f();
    // #end
    // #for i KEY_SLICES
    {
      // #for x WRITES_OUTPUT
      let q = query[token * width + at$i];
      // #end
      // #for x WRITES_DECAY
      // #for y DECAYS_SCALAR
      product$i *= a;
      // #end
      // #for y DECAYS_CHANNELS
      product$i *= a$i;
      // #end
      // #end
      // #for x NORMALISES
      // #for y DECAYS_SCALAR
      z$i *= a;
      // #end
      // #for y DECAYS_CHANNELS
      z$i *= a$i;
      // #end
      z$i += k$i;
      // #for y WRITES_OUTPUT
      weight += z$i * q;
      // #end
      // #end
      // #for g COLUMN_GROUPS
      // #for c 4
      // #for x DECAYS_SCALAR
      s$g_$c_$i *= a;
      // #end
      // #for x DECAYS_CHANNELS
      s$g_$c_$i *= a$i;
      // #end
      s$g_$c_$i += u$g[$c] * k$i;
      // #end
      // #for x WRITES_OUTPUT
      o$g += vec4f(dot(s$g_0_$i, q), dot(s$g_1_$i, q), dot(s$g_2_$i, q), dot(s$g_3_$i, q));
      // #end
      // #end
    }
    // #end
    // #for x WRITES_OUTPUT
    // #for y NORMALISES
    let sum = dot(quadSum(weight), vec4f(1.0));
    // #end
    // #for g COLUMN_GROUPS
    o$g = quadSum(o$g);
    // #for y NORMALISES
    o$g = select(o$g / sum, vec4f(), sum < SMALLEST_NORMALISER);
    // #end
    if (lane == 0u && isLive$g) {
      output[token * params.valueVectors + column$g] = o$g;
    }
    // #end
    // #end
  }

  // #for i KEY_SLICES
  // #for x WRITES_STATE
  // #for g COLUMN_GROUPS
  if (isOwned$i && isLive$g) {
    // #for c 4
    stateAfter[stateAt$g + $cu * width + at$i] = s$g_$c_$i;
    // #end
  }
  // #end
  // #for y NORMALISES
  if (isOwned$i && firstColumn == 0u) {
    stateAfter[normaliserAt$i] = z$i;
  }
  // #end
  // #end
  // #for x WRITES_DECAY
  if (isOwned$i && firstColumn == 0u) {
    chunkDecay[chunkRow * width + at$i] = product$i;
  }
  // #end
  // #end
}
