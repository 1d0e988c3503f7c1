// The rules of `recurrent-quad.wgsl`, TOKENS tokens at once: the chunk form of
// lib/attention/recurrent/chunked.ts with a chunk that fits registers. With D_i the product of the
// decays of its tokens up to i, L_ij that of those after j up to i, and S the state before the chunk,
//
//     o_i = S (D_i o q_i) + sum_{j <= i} (q_i . L_ij k_j) u_j,   S' = D S + sum_j u_j (L_j k_j)^T,
//     u_i = v_i, or beta_i (v_i - S (D_i o k_i) - sum_{j < i} (k_i . L_ij k_j) u_j) for delta rules.
//
// The state is read and written once for TOKENS tokens; on a software adapter a write costs more
// than the arithmetic. Decays are products, never exponents of differences: 0 has no logarithm.
//
// A quad owns 16 COLUMN_GROUPS value columns of one head, a lane the key vectors lane, lane + 4, ...
// of all of them. Slot m of a lane holds the columns of lane l ^ m: then the sums over key channels
// of a lane's own four columns are in slots 0 .. 3 of lanes l, l ^ 1, l ^ 2 and l ^ 3, each value is
// loaded by one lane, and both change hands by three quad swaps. No shared memory, no barriers; all
// indices into private arrays are constants in the loop over tokens.
//
// Tensors and params as in `recurrent-quad.wgsl`, without chunks of a dispatch.
// Grid: ceil(valueVectors / (4 COLUMN_GROUPS WORKGROUP / 4)), rows.
enable subgroups;

const TOKENS: u32 = 4;
// ceil(keyVectors / 4)
const KEY_SLICES: u32 = 4;
const COLUMN_GROUPS: u32 = 2;
const DECAYS: u32 = 0;
const DECAYS_SCALAR: u32 = 0;
const DECAYS_CHANNELS: u32 = 0;
const DELTA: u32 = 0;
const NORMALISES: u32 = 0;
const WRITES_OUTPUT: u32 = 1;
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

fn quadSum(x: f32) -> f32 {
  let pairs = x + quadSwapX(x);
  return pairs + quadSwapY(pairs);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) subgroupThread: u32,
) {
  let lane = subgroupThread & 3u;
  let row = group.y;
  let width = params.keyVectors;
  let firstColumn = (group.x * (WORKGROUP / 4u) + thread / 4u) * (4u * COLUMN_GROUPS);
  let rowToken = row * params.tokens;
  let stateRow = row * params.stateRows;
  // #for x DECAYS_SCALAR
  let decayAt = (row % params.decayRows) * params.decayRowStride;
  // #end
  // Lanes beyond the last key vector see zeros in place of keys, so that their state stays zero.
  // #for i KEY_SLICES
  let isOwned$i = 4u * $iu + lane < width;
  let at$i = min(4u * $iu + lane, width - 1u);
  // #for x NORMALISES
  let normaliserAt$i = (stateRow + params.stateRows - 1u) * width + at$i;
  var z$i = select(vec4f(), stateBefore[normaliserAt$i], isOwned$i);
  // #end
  // #end
  // #for h COLUMN_GROUPS
  let own$h = firstColumn + 4u * $hu + lane;
  let isLive$h = own$h < params.valueVectors;
  let ownAt$h = min(own$h, params.valueVectors - 1u);
  // #for m 4
  let stateAt$h_$m = (stateRow + 4u * min(firstColumn + 4u * $hu + (lane ^ $mu), params.valueVectors - 1u)) * width;
  // Channel c of the four columns, key slice i: element c * KEY_SLICES + i.
  var s$h_$m: array<vec4f, 4u * KEY_SLICES>;
  // #end
  // #end
  for (var c = 0u; c < 4u; c++) {
    for (var i = 0u; i < KEY_SLICES; i++) {
      let at = c * width + min(4u * i + lane, width - 1u);
      let isOwned = 4u * i + lane < width;
      // #for h COLUMN_GROUPS
      // #for m 4
      s$h_$m[c * KEY_SLICES + i] = select(vec4f(), stateBefore[stateAt$h_$m + at], isOwned);
      // #end
      // #end
    }
  }

  for (var t = params.tokenStart; t < params.tokenEnd; t += TOKENS) {
    // Keys as later tokens of the chunk see them: k{slice}_{token}_{tokens decayed so far}.
    // #for i KEY_SLICES
    let d$i_0 = 1.0;
    // #end
    // #for g TOKENS
    let isToken$g = t + $gu < params.tokenEnd;
    let token$g = rowToken + min(t + $gu, params.tokenEnd - 1u);
    // #for x DECAYS_SCALAR
    let a$g = select(1.0, decay[decayAt + min(t + $gu, params.tokenEnd - 1u) * params.decayTokenStride], isToken$g);
    // #end
    // #for i KEY_SLICES
    let k$i_$g_$g+1 = select(vec4f(), key[token$g * width + at$i], isToken$g & isOwned$i);
    // #for x WRITES_OUTPUT
    let q$i_$g = query[token$g * width + at$i];
    // #end
    // #for x DECAYS_SCALAR
    let a$i_$g = a$g;
    // #end
    // #for x DECAYS_CHANNELS
    let a$i_$g = select(vec4f(1.0), decay[token$g * width + at$i], isToken$g);
    // #end
    let d$i_$g+1 = d$i_$g
    // #for x DECAYS
      * a$i_$g
    // #end
    ;
    // #for j $g
    let k$i_$j_$g+1 = k$i_$j_$g
    // #for x DECAYS
      * a$i_$g
    // #end
    ;
    // #end
    // #end
    // #for x WRITES_OUTPUT
    // #for j $g+1
    let score$g_$j = quadSum(0.0
    // #for i KEY_SLICES
      + dot(q$i_$g, k$i_$j_$g+1)
    // #end
    );
    // #end
    // #for i KEY_SLICES
    let reader$i_$g = q$i_$g * d$i_$g+1;
    // #end
    // #for y NORMALISES
    let weight$g = quadSum(0.0
    // #for i KEY_SLICES
      + dot(z$i, reader$i_$g)
    // #end
    )
    // #for j $g+1
      + score$g_$j
    // #end
    ;
    // #end
    // #end
    // #for h COLUMN_GROUPS
    let v$g_$h = value[token$g * params.valueVectors + ownAt$h];
    // #end
    // #for x DELTA
    let strength$g = writeStrength[token$g];
    // #for j $g
    let overlap$g_$j = quadSum(0.0
    // #for i KEY_SLICES
      + dot(k$i_$g_$g+1, k$i_$j_$g+1)
    // #end
    );
    // #end
    // #for i KEY_SLICES
    let eraser$i_$g = k$i_$g_$g+1 * d$i_$g+1;
    // #end
    // #end
    // #end

    // #for h COLUMN_GROUPS
    {
      // The state's sums over key channels: read{token}_{slot}, of the lane's own columns in the end.
      // #for m 4
      // #for c 4
      // #for i KEY_SLICES
      let s$m_$c_$i = s$h_$m[$cu * KEY_SLICES + $iu];
      // #end
      // #for g TOKENS
      // #for x WRITES_OUTPUT
      let read$g_$m_$c = 0.0
      // #for i KEY_SLICES
        + dot(s$m_$c_$i, reader$i_$g)
      // #end
      ;
      // #end
      // #for x DELTA
      let held$g_$m_$c = 0.0
      // #for i KEY_SLICES
        + dot(s$m_$c_$i, eraser$i_$g)
      // #end
      ;
      // #end
      // #end
      // #end
      // #end
      // #for g TOKENS
      // #for x DELTA
      let ownHeld$g = vec4f(held$g_0_0, held$g_0_1, held$g_0_2, held$g_0_3)
        + quadSwapX(vec4f(held$g_1_0, held$g_1_1, held$g_1_2, held$g_1_3))
        + quadSwapY(vec4f(held$g_2_0, held$g_2_1, held$g_2_2, held$g_2_3))
        + quadSwapDiagonal(vec4f(held$g_3_0, held$g_3_1, held$g_3_2, held$g_3_3));
      // #end
      let u$g_0 = select(vec4f(),
      // #for x DELTA
        strength$g * (
      // #end
        v$g_$h
      // #for x DELTA
        - ownHeld$g
      // #for j $g
        - overlap$g_$j * u$j_0
      // #end
        )
      // #end
        , isToken$g);
      let u$g_1 = quadSwapX(u$g_0);
      let u$g_2 = quadSwapY(u$g_0);
      let u$g_3 = quadSwapDiagonal(u$g_0);
      // #for x WRITES_OUTPUT
      let o$g = vec4f(read$g_0_0, read$g_0_1, read$g_0_2, read$g_0_3)
        + quadSwapX(vec4f(read$g_1_0, read$g_1_1, read$g_1_2, read$g_1_3))
        + quadSwapY(vec4f(read$g_2_0, read$g_2_1, read$g_2_2, read$g_2_3))
        + quadSwapDiagonal(vec4f(read$g_3_0, read$g_3_1, read$g_3_2, read$g_3_3))
      // #for j $g+1
        + score$g_$j * u$j_0
      // #end
      ;
      if (isToken$g && isLive$h) {
        output[token$g * params.valueVectors + own$h] = o$g
        // #for y NORMALISES
          * select(1.0 / weight$g, 0.0, weight$g < SMALLEST_NORMALISER)
        // #end
        ;
      }
      // #end
      // #end
      // #for m 4
      // #for c 4
      // #for i KEY_SLICES
      s$h_$m[$cu * KEY_SLICES + $iu] = s$m_$c_$i
      // #for x DECAYS
        * d$i_$TOKENS
      // #end
      // #for g TOKENS
        + u$g_$m[$c] * k$i_$g_$TOKENS
      // #end
      ;
      // #end
      // #end
      // #end
    }
    // #end
    // #for x NORMALISES
    // #for i KEY_SLICES
    z$i = z$i
    // #for y DECAYS
      * d$i_$TOKENS
    // #end
    // #for g TOKENS
      + k$i_$g_$TOKENS
    // #end
    ;
    // #end
    // #end
  }

  for (var c = 0u; c < 4u; c++) {
    for (var i = 0u; i < KEY_SLICES; i++) {
      let at = c * width + min(4u * i + lane, width - 1u);
      let isOwned = 4u * i + lane < width;
      // #for h COLUMN_GROUPS
      // #for m 4
      if (isOwned && firstColumn + 4u * $hu + (lane ^ $mu) < params.valueVectors) {
        stateAfter[stateAt$h_$m + at] = s$h_$m[c * KEY_SLICES + i];
      }
      // #end
      // #end
    }
  }
  // #for x NORMALISES
  // #for i KEY_SLICES
  if (isOwned$i && firstColumn == 0u) {
    stateAfter[normaliserAt$i] = z$i;
  }
  // #end
  // #end
}
