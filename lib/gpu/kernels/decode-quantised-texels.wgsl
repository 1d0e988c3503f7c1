// Split-KV attention for few queries over packed keys and values whose codes lie in textures. A quad
// owns one split of ROWS rows that share a KV head; LANES of its lanes share a key, KEYS keys each at
// a time, with a softmax of their own that the quad's lanes join at the end, by their maxima. Scales
// leave the inner loops as in `decode-quantised-quad.wgsl`. Shared memory: 0 bytes.
// Grid: ceil(splits / (WORKGROUP / 4)), batch x kvHeads, row groups.
enable subgroups;

const ROWS: u32 = 1;
const KEYS: u32 = 2;
const BLOCK_KEYS: u32 = 32;
override WORKGROUP: u32 = 16;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "variant.wgsl"
// #include "quantised.wgsl"
// #include "codes-texels.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var keyTexels: texture_2d<f32>;
@group(0) @binding(2) var valueTexels: texture_2d<f32>;
@group(0) @binding(3) var<storage, read> packed0: array<u32>;
@group(0) @binding(4) var<storage, read> packed1: array<u32>;
@group(0) @binding(5) var<storage, read> tableValues: array<f32>;
@group(0) @binding(6) var<storage, read> listRows: array<vec2u>;
@group(0) @binding(7) var<storage, read> entries: array<u32>;
@group(0) @binding(8) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> lse: array<f32>;
@group(0) @binding(10) var<uniform> params: Params;
@group(0) @binding(11) var<uniform> packedParams: PackedParams;
@group(0) @binding(12) var tokenScales: texture_2d<f32>;
@group(0) @binding(13) var nearest: sampler;

// Lanes that take keys of their own.
const GROUPS: u32 = 4 / LANES;

// Where a row begins, both 0..1, and a texel's width; see `texels.wgsl`.
// #for s 2
const TEXEL_$s: f32 = 1.0 / f32(TEXELS_$s * LANES * ROWS_PER_LINE_$s);

fn rowAt$s(row: f32, step: f32) -> vec2f {
  let at = row * (1.0 / f32(ROWS_PER_LINE_$s));
  let line = floor(at);
  return vec2f(at - line, (line + 0.5) * step);
}
// #end

// One texel per row of keys: the scales and zeros of its key and its value, those that there are.
const TOKEN_TEXEL: f32 = 1.0 / f32(ROWS_PER_LINE_2);

fn tokenScalesOf(row: f32, step: f32) -> vec4f {
  if (SCALES_0 != 1u && SCALES_1 != 1u) {
    return vec4f();
  }
  let at = row * TOKEN_TEXEL;
  let line = floor(at);
  return textureSampleLevel(
    tokenScales, nearest, vec2f(at - line + 0.5 * TOKEN_TEXEL, (line + 0.5) * step), 0.0);
}

const KEY_NUMBERS: u32 = select(0u, 2u - SIGNED_0, SCALES_0 == 1u);

fn keyScale(scales: vec4f) -> f32 {
  return select(1.0, scales[0], SCALES_0 == 1u);
}

fn keyZero(scales: vec4f) -> f32 {
  return select(0.0, scales[1], KEY_NUMBERS == 2u);
}

fn valueScale(scales: vec4f) -> f32 {
  return select(1.0, scales[KEY_NUMBERS], SCALES_1 == 1u);
}

fn valueZero(scales: vec4f) -> f32 {
  return select(0.0, scales[KEY_NUMBERS + 1u], SCALES_1 == 1u && SIGNED_1 == 0u);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) subgroupThread: u32,
) {
  let lane = subgroupThread & 3u;
  let part = lane % LANES;
  let own = lane / LANES;
  let split = group.x * (WORKGROUP / 4u) + thread / 4u;
  let batchKvHead = params.headStart + group.y;
  let batch = batchKvHead / params.kvHeads;
  let kvHead = batchKvHead % params.kvHeads;
  let heads = params.queryHeads / params.kvHeads;
  let rowsPerHead = params.queries * heads;
  let rowStart = group.z * ROWS;
  let rowBase = batchKvHead * rowsPerHead;
  let keyRow = batchKvHead * params.keys;
  let lastKey = params.keys - 1u;
  let width = params.headVectors;
  let scales0 = packedParams.tensors[0].scales;
  let zeros0 = packedParams.tensors[0].zeros;
  let scales1 = packedParams.tensors[1].scales;
  let zeros1 = packedParams.tensors[1].zeros;
  let step0 = 1.0 / f32(textureDimensions(keyTexels).y);
  let step1 = 1.0 / f32(textureDimensions(valueTexels).y);
  let stepScales = 1.0 / f32(textureDimensions(tokenScales).y);
  let x0 = (f32(part * TEXELS_0) + 0.5) * TEXEL_0;
  let x1 = (f32(part * TEXELS_1) + 0.5) * TEXEL_1;

  // #for r ROWS
  let row$r = min(rowStart + $ru, rowsPerHead - 1u);
  let at$r = oneRow(batch, kvHead * heads + row$r / params.queries, row$r % params.queries);
  var m$r = LOWEST;
  var l$r = 0.0;
  // Weights times scales of the values, and times their zeros.
  var scaled$r = 0.0;
  var zero$r = 0.0;
  // What a lane's channels add to all scores: for a zero of 1, and for the offsets of codes.
  var querySum$r = 0.0;
  var offsetSum$r = 0.0;
  // #for t TEXELS_0
  // #for w 4
  // #for v VECTORS_0
  let vector$r_$t_$w_$v = part * PART_0 + ($tu * 4u + $wu) * VECTORS_0 + $vu;
  let query$r_$t_$w_$v = query[(rowBase + row$r) * width + min(vector$r_$t_$w_$v, width - 1u)]
    * select(0.0, params.scale, vector$r_$t_$w_$v < width);
  querySum$r += dot(query$r_$t_$w_$v, vec4f(1.0));
  offsetSum$r += dot(query$r_$t_$w_$v, ADDED_0_$v);
  let q$r_$t_$w_$v = query$r_$t_$w_$v * SCALED_0_$v;
  // #end
  // #end
  // #end
  // #for t TEXELS_1
  // #for w 4
  // #for v VECTORS_1
  var acc$r_$t_$w_$v = vec4f();
  // #end
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
    let block = select(0u, entries[min(e, max(end, 1u) - 1u)], end > first);
    let blockStart = block * BLOCK_KEYS;
    let isMasked = e >= firstPartial || blockStart + BLOCK_KEYS > params.keys;
    // #for f FOLDS_KEY
    let blockScales = scaleRow0(batchKvHead, min(blockStart, lastKey));
    // #for r ROWS
    var bias$r = 0.0;
    // #end
    // #for t TEXELS_0
    // #for w 4
    // #for v VECTORS_0
    let channels$t_$w_$v = min(part * PART_0 + ($tu * 4u + $wu) * VECTORS_0 + $vu, width - 1u);
    let scale$t_$w_$v = vectorNumbers0(scales0, blockScales, channels$t_$w_$v);
    var added$t_$w_$v = scale$t_$w_$v * ADDED_0_$v;
    if (SIGNED_0 == 0u) {
      added$t_$w_$v += vectorNumbers0(zeros0, blockScales, channels$t_$w_$v);
    }
    // #for r ROWS
    bias$r += dot(query$r_$t_$w_$v, added$t_$w_$v);
    let folded$r_$t_$w_$v = q$r_$t_$w_$v * scale$t_$w_$v;
    // #end
    // #end
    // #end
    // #end
    // #end
    for (var c = 0u; c < BLOCK_KEYS; c += GROUPS * KEYS) {
      // #for f FOLDS_KEY
      // #for r ROWS
      // #for t TEXELS_0
      // #for w 4
      // #for v VECTORS_0
      let q$r_$t_$w_$v = folded$r_$t_$w_$v;
      // #end
      // #end
      // #end
      // #end
      // #end
      // #for i KEYS
      let key$i = blockStart + c + $iu * GROUPS + own;
      let token$i = min(key$i, lastKey);
      let keyAt$i = rowAt0(f32(i32(keyRow + token$i)), step0);
      // #for t TEXELS_0
      let keyWords$i_$t = bitcast<vec4u>(textureSampleLevel(
        keyTexels, nearest, vec2f(keyAt$i.x + (x0 + $t.0 * TEXEL_0), keyAt$i.y), 0.0));
      // #for w 4
      // #for v VECTORS_0
      let k$i_$t_$w_$v = values0_$v(
        keyWords$i_$t[$w], batchKvHead, token$i, part * PART_0 + ($tu * 4u + $wu) * VECTORS_0 + $vu);
      // #end
      // #for r ROWS
      let dot$r_$i_$t_$w = 0.0
      // #for v VECTORS_0
        + dot(q$r_$t_$w_$v, k$i_$t_$w_$v)
      // #end
      ;
      // #end
      // #end
      // #end
      let scales$i = tokenScalesOf(f32(i32(keyRow + token$i)), stepScales);
      // #end
      // #for r ROWS
      // #for i KEYS
      let sum$r_$i = 0.0
      // #for t TEXELS_0
      // #for w 4
        + dot$r_$i_$t_$w
      // #end
      // #end
      ;
      // #for f FOLDS_KEY
      let raw$r_$i = sum$r_$i + bias$r;
      // #end
      // #for f TAKES_KEY
      let raw$r_$i = (sum$r_$i + offsetSum$r) * keyScale(scales$i) + querySum$r * keyZero(scales$i);
      // #end
      let half$r_$i = raw$r_$i + select(0.0, quadSwapX(raw$r_$i), LANES > 1u);
      let whole$r_$i = half$r_$i + select(0.0, quadSwapY(half$r_$i), LANES > 2u);
      let score$r_$i = isModified(at$r, key$i, whole$r_$i);
      let isSeen$r_$i = !isMasked | (isLive & isVisible(at$r, key$i));
      let s$r_$i = select(LOWEST, score$r_$i, isSeen$r_$i);
      // #end
      var most$r = m$r;
      // #for i KEYS
      most$r = max(most$r, s$r_$i);
      // #end
      let decay$r = exp(m$r - most$r);
      m$r = most$r;
      // #for i KEYS
      let p$r_$i = exp(s$r_$i - most$r);
      let w$r_$i = p$r_$i * valueScale(scales$i);
      // #end
      l$r = l$r * decay$r
      // #for i KEYS
        + p$r_$i
      // #end
      ;
      scaled$r = scaled$r * decay$r
      // #for i KEYS
        + w$r_$i
      // #end
      ;
      zero$r = zero$r * decay$r
      // #for i KEYS
        + p$r_$i * valueZero(scales$i)
      // #end
      ;
      // #end
      // #for i KEYS
      let valueAt$i = rowAt1(f32(i32(keyRow + token$i)), step1);
      // #end
      // #for t TEXELS_1
      // #for i KEYS
      let valueWords$i_$t = bitcast<vec4u>(textureSampleLevel(
        valueTexels, nearest, vec2f(valueAt$i.x + (x1 + $t.0 * TEXEL_1), valueAt$i.y), 0.0));
      // #end
      // #for w 4
      // #for v VECTORS_1
      // #for i KEYS
      let v$i_$t_$w_$v = values1_$v(
        valueWords$i_$t[$w], batchKvHead, token$i, part * PART_1 + ($tu * 4u + $wu) * VECTORS_1 + $vu);
      // #end
      // #for r ROWS
      acc$r_$t_$w_$v = acc$r_$t_$w_$v * decay$r
      // #for i KEYS
        + v$i_$t_$w_$v * w$r_$i
      // #end
      ;
      // #end
      // #end
      // #end
      // #end
    }
  }

  // #for r ROWS
  {
    // Lanes with keys of their own become one.
    let pair = max(m$r, select(m$r, quadSwapX(m$r), LANES == 1u));
    let most = max(pair, select(pair, quadSwapY(pair), LANES < 4u));
    let decay = exp(m$r - most);
    let l = joined(l$r * decay);
    let scaled = joined(scaled$r * decay);
    let zero = joined(zero$r * decay);
    let isEmpty = most < MASKED_BELOW;
    let inverse = select(1.0 / l, 0.0, isEmpty);
    let isOurs = split < params.splits && rowStart + $ru < rowsPerHead;
    let at = (rowBase + row$r) * params.splits + split;
    // #for t TEXELS_1
    // #for w 4
    // #for v VECTORS_1
    let vector$t_$w_$v = part * PART_1 + ($tu * 4u + $wu) * VECTORS_1 + $vu;
    let sum$t_$w_$v = joinedFour(acc$r_$t_$w_$v * decay) * SCALED_1_$v + scaled * ADDED_1_$v + zero;
    // Each of the lanes that hold it stores one in so many.
    if (isOurs & (vector$t_$w_$v < width) & (vector$t_$w_$v % GROUPS == own)) {
      output[at * width + vector$t_$w_$v] = sum$t_$w_$v * inverse;
    }
    // #end
    // #end
    // #end
    if (isOurs & (lane == 0u)) {
      lse[at] = select(most + log(l), LOWEST, isEmpty);
    }
  }
  // #end
}

// Sums over the lanes that take keys of their own.
fn joined(value: f32) -> f32 {
  let half = value + select(0.0, quadSwapX(value), LANES == 1u);
  return half + select(0.0, quadSwapY(half), LANES < 4u);
}

fn joinedFour(value: vec4f) -> vec4f {
  let half = value + select(vec4f(), quadSwapX(value), LANES == 1u);
  return half + select(vec4f(), quadSwapY(half), LANES < 4u);
}
