// Codes of packed tensors in textures, 0 keys and 1 values: four words of them per texel of
// rgba32uint or, with the same bits, rgba32float; see `code-texels.ts`. Codes are masked out and
// converted where they lie in the word, 2^shift times too large, and the topmost is signed: whoever
// multiplies them takes SHIFTS and OFFSETS into account, once for all keys. No shift is left, which a
// software adapter does lane by lane.

const BITS_0: u32 = 8;
const BITS_1: u32 = 8;
// vec4 of codes per word: 8 / BITS.
const VECTORS_0: u32 = 1;
const VECTORS_1: u32 = 1;
// Texels of a row that a lane holds.
const TEXELS_0: u32 = 4;
const TEXELS_1: u32 = 4;
const ROWS_PER_LINE_0: u32 = 512;
const ROWS_PER_LINE_1: u32 = 512;
// Of the scales per token.
const ROWS_PER_LINE_2: u32 = 8192;
// Lanes of a quad that share a row: 1, 2 or 4.
const LANES: u32 = 1;
// Keys take their scales once per block, through the query.
const FOLDS_KEY: u32 = 0;
// 1 where they do not.
const TAKES_KEY: u32 = 1;

// #for s 2
// Codes that a kernel multiplies as they are, for a scale that it takes elsewhere.
const IS_RAW_$s: bool = SCALES_$s == 1u || ($su == 0u && FOLDS_KEY == 1u);
// vec4 of codes that a lane holds.
const PART_$s: u32 = TEXELS_$s * 4u * VECTORS_$s;
const MASK_$s: u32 = (1u << BITS_$s) - 1u;
// Half of what a code can be.
const MIDDLE_$s: f32 = f32(1u << (BITS_$s - 1u));

// The vec4 `$v` of a word; above VECTORS they repeat and are not called.
// #for v 4
const SHIFT_$s_$v: vec4u = (vec4u(0u, 1u, 2u, 3u) + 4u * ($vu % VECTORS_$s)) * BITS_$s;
const SHRUNK_$s_$v: vec4f = vec4f(1.0) / vec4f(vec4u(1u) << SHIFT_$s_$v);
// A word's topmost code is what remains of it below 0 as of above.
const IS_TOP_$s_$v: vec4<bool> = SHIFT_$s_$v == vec4u(32u - BITS_$s);
const OFFSET_$s_$v: vec4f = select(
  select(vec4f(), vec4f(MIDDLE_$s), IS_TOP_$s_$v),
  select(vec4f(-MIDDLE_$s), vec4f(), IS_TOP_$s_$v),
  SIGNED_$s == 1u,
);
// What raw codes are multiplied by, and what is added.
const SCALED_$s_$v: vec4f = select(vec4f(1.0), SHRUNK_$s_$v, IS_RAW_$s);
const ADDED_$s_$v: vec4f = select(vec4f(), OFFSET_$s_$v, IS_RAW_$s);

// The codes of a row's vec4 `vector`, or what they stand for.
fn values$s_$v(word: u32, head: u32, token: u32, vector: u32) -> vec4f {
  const MASKS = vec4u(MASK_$s) << SHIFT_$s_$v;
  let raw = vec4f(bitcast<vec4i>(vec4u(word) & MASKS));
  if (IS_RAW_$s) {
    return raw;
  }
  return values$s(raw * SHRUNK_$s_$v + OFFSET_$s_$v, scaleRow$s(head, token), vector);
}
// #end
// #end
