// Scales of packed tensors: 0 holds keys, 1 values. A buffer holds, after codes where they are not in
// textures, scales; then, where codes are unsigned, zeros: x = code x scale + zero. Scales are [heads,
// groups of tokens, columns], f32 or pairs of f16, which `unpack2x16float` reads without the
// shader-f16 feature.

// Two's complement codes, and no zeros.
const SIGNED_0: u32 = 1;
const SIGNED_1: u32 = 1;
// Scales per token: 1, one for its row; 2, one for every few vec4; 3, one for every channel.
const SCALES_0: u32 = 1;
const SCALES_1: u32 = 1;
// Scales and zeros in f16.
const HALF_0: u32 = 0;
const HALF_1: u32 = 0;

struct Packed {
  // Words before the scales and before the zeros.
  scales: u32,
  zeros: u32,
  tokensPerScale: u32,
  // Scales of a head, and of a group of tokens.
  headScales: u32,
  columns: u32,
  // SCALES = 2: vec4 per scale.
  vectorsPerScale: u32,
  unused0: u32,
  unused1: u32,
}

struct PackedParams {
  tensors: array<Packed, 2>,
}

// #for s 2
// First scale of the group that a token of a head belongs to.
fn scaleRow$s(head: u32, token: u32) -> u32 {
  let tensor = &packedParams.tensors[$s];
  return head * (*tensor).headScales + token / (*tensor).tokensPerScale * (*tensor).columns;
}

// The scale, or zero, at an index; `first` is the word where they begin.
fn number$s(first: u32, at: u32) -> f32 {
  if (HALF_$s == 1u) {
    let pair = unpack2x16float(packed$s[first + at / 2u]);
    return select(pair.x, pair.y, (at & 1u) == 1u);
  }
  return bitcast<f32>(packed$s[first + at]);
}

// Four of them in a row; `at` is a multiple of 4.
fn numbers$s(first: u32, at: u32) -> vec4f {
  if (HALF_$s == 1u) {
    let word = first + at / 2u;
    return vec4f(unpack2x16float(packed$s[word]), unpack2x16float(packed$s[word + 1u]));
  }
  let word = first + at;
  return bitcast<vec4f>(
    vec4u(packed$s[word], packed$s[word + 1u], packed$s[word + 2u], packed$s[word + 3u]),
  );
}

// A row's scales or zeros for the vec4 `vector` of its channels.
fn vectorNumbers$s(first: u32, row: u32, vector: u32) -> vec4f {
  if (SCALES_$s == 3u) {
    return numbers$s(first, row + (4u * vector) % packedParams.tensors[$s].columns);
  }
  return vec4f(number$s(first, row + vector / packedParams.tensors[$s].vectorsPerScale));
}

// The values of a row's codes, for SCALES of 2 or 3.
fn values$s(codes: vec4f, row: u32, vector: u32) -> vec4f {
  let scaled = codes * vectorNumbers$s(packedParams.tensors[$s].scales, row, vector);
  if (SIGNED_$s == 1u) {
    return scaled;
  }
  return scaled + vectorNumbers$s(packedParams.tensors[$s].zeros, row, vector);
}
// #end
