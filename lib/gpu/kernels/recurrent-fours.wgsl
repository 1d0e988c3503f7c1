// The rules of `recurrent-quad.wgsl`, four tokens at once: the chunk form of
// lib/attention/recurrent/chunked.ts with a chunk that fits registers. With D_i the product of the
// decays of its tokens up to i, L_ij that of those after j up to i, and S the state before the chunk,
//
//     o_i = S (D_i o q_i) + sum_{j <= i} (q_i . L_ij k_j) u_j,   S' = D S + sum_j u_j (L_j k_j)^T,
//     u_i = v_i, or beta_i (v_i - S (D_i o k_i) - sum_{j < i} (k_i . L_ij k_j) u_j) for delta rules.
//
// The state is read and written once for four tokens; on a software adapter a write costs more
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

// ceil(keyVectors / 4)
const KEY_SLICES: u32 = 4;
const COLUMN_GROUPS: u32 = 2;
const DECAYS: u32 = 0;
const DECAYS_SCALAR: u32 = 0;
const DECAYS_CHANNELS: u32 = 0;
const DELTA: u32 = 0;
const NORMALISES: u32 = 0;
// Keys that are not there need zeros: slices beyond the last vector, and tokens of a normaliser.
const MASKS_KEYS: u32 = 1;
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

  for (var t = params.tokenStart; t < params.tokenEnd; t += 4u) {
    // Keys as later tokens of the chunk see them: k{slice}_{token}_{tokens decayed so far}.
    // #for i KEY_SLICES
    let d$i_0 = 1.0;
    // #end
    // Of the numbers of four tokens each lane loads one.
    let ownToken = min(t + lane, params.tokenEnd - 1u);
    // #for x DECAYS_SCALAR
    let ownDecay = select(1.0, decay[decayAt + ownToken * params.decayTokenStride], t + lane < params.tokenEnd);
    // #end
    // #for x DELTA
    let ownStrength = writeStrength[rowToken + ownToken];
    // #end
    // #for g 4
    let isToken$g = t + $gu < params.tokenEnd;
    let token$g = rowToken + min(t + $gu, params.tokenEnd - 1u);
    // #for x DECAYS_SCALAR
    let a$g = quadBroadcast(ownDecay, $gu);
    // #end
    // #for i KEY_SLICES
    let k$i_$g_$g+1 =
    // #for x MASKS_KEYS
      vec4f(f32(isToken$g & isOwned$i)) *
    // #end
      key[token$g * width + at$i];
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
    let reader$i_$g = q$i_$g
    // #for y DECAYS
      * d$i_$g+1
    // #end
    ;
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
    let strength$g = quadBroadcast(ownStrength, $gu);
    // #for j $g
    let overlap$g_$j = quadSum(0.0
    // #for i KEY_SLICES
      + dot(k$i_$g_$g+1, k$i_$j_$g+1)
    // #end
    );
    // #end
    // #for i KEY_SLICES
    let eraser$i_$g = k$i_$g_$g+1
    // #for y DECAYS
      * d$i_$g+1
    // #end
    ;
    // #end
    // #end
    // #end

    // Columns are tokens: a vector times a matrix, and a matrix times a vector, is one sum a component.
    // #for i KEY_SLICES
    // #for x WRITES_OUTPUT
    let readers$i = mat4x4f(reader$i_0, reader$i_1, reader$i_2, reader$i_3);
    // #end
    // #for x DELTA
    let erasers$i = mat4x4f(eraser$i_0, eraser$i_1, eraser$i_2, eraser$i_3);
    // #end
    let writers$i = mat4x4f(k$i_0_4, k$i_1_4, k$i_2_4, k$i_3_4);
    // #end
    // #for h COLUMN_GROUPS
    {
      // The state's sums over this lane's key channels: {slot}_{column}, a component per token.
      // #for m 4
      // #for c 4
      // #for x WRITES_OUTPUT
      let read$m_$c = vec4f()
      // #for i KEY_SLICES
        + s$h_$m[$cu * KEY_SLICES + $iu] * readers$i
      // #end
      ;
      // #end
      // #for x DELTA
      let held$m_$c = vec4f()
      // #for i KEY_SLICES
        + s$h_$m[$cu * KEY_SLICES + $iu] * erasers$i
      // #end
      ;
      // #end
      // #end
      // #end
      // #for g 4
      // #for x DELTA
      let ownHeld$g = vec4f(held0_0[$g], held0_1[$g], held0_2[$g], held0_3[$g])
        + quadSwapX(vec4f(held1_0[$g], held1_1[$g], held1_2[$g], held1_3[$g]))
        + quadSwapY(vec4f(held2_0[$g], held2_1[$g], held2_2[$g], held2_3[$g]))
        + quadSwapDiagonal(vec4f(held3_0[$g], held3_1[$g], held3_2[$g], held3_3[$g]));
      // #end
      let own$g_0 = select(vec4f(),
      // #for x DELTA
        strength$g * (
      // #end
        v$g_$h
      // #for x DELTA
        - ownHeld$g
      // #for j $g
        - overlap$g_$j * own$j_0
      // #end
        )
      // #end
        , isToken$g);
      let own$g_1 = quadSwapX(own$g_0);
      let own$g_2 = quadSwapY(own$g_0);
      let own$g_3 = quadSwapDiagonal(own$g_0);
      // #for x WRITES_OUTPUT
      let o$g = vec4f(read0_0[$g], read0_1[$g], read0_2[$g], read0_3[$g])
        + quadSwapX(vec4f(read1_0[$g], read1_1[$g], read1_2[$g], read1_3[$g]))
        + quadSwapY(vec4f(read2_0[$g], read2_1[$g], read2_2[$g], read2_3[$g]))
        + quadSwapDiagonal(vec4f(read3_0[$g], read3_1[$g], read3_2[$g], read3_3[$g]))
      // #for j $g+1
        + score$g_$j * own$j_0
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
      let u$m_$c = vec4f(own0_$m[$c], own1_$m[$c], own2_$m[$c], own3_$m[$c]);
      // #for i KEY_SLICES
      s$h_$m[$cu * KEY_SLICES + $iu] = s$h_$m[$cu * KEY_SLICES + $iu]
      // #for x DECAYS
        * d$i_4
      // #end
        + writers$i * u$m_$c;
      // #end
      // #end
      // #end
    }
    // #end
    // #for x NORMALISES
    // #for i KEY_SLICES
    z$i = z$i
    // #for y DECAYS
      * d$i_4
    // #end
    // #for g 4
      + k$i_$g_4
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
