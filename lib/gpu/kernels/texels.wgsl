// Rows of DIMS texels, ROWS_PER_LINE of them to a line of a texture; see `texels.ts`. Sampled at the
// centres of texels, without filtering: what the texture holds, bit by bit.

// 1 / ROWS_PER_LINE, a power of two.
const LINES_PER_ROW: f32 = 1.0 / f32(ROWS_PER_LINE);
// A texel's width.
const TEXEL: f32 = 1.0 / f32(DIMS * ROWS_PER_LINE);

// 1 / lines of the texture.
fn lineStep(texels: texture_2d<f32>) -> f32 {
  return 1.0 / f32(textureDimensions(texels).y);
}

// Where a row begins: x and y, both 0..1. Rows are whole numbers below 2^24.
fn rowAt(row: f32, step: f32) -> vec2f {
  let at = row * LINES_PER_ROW;
  let line = floor(at);
  return vec2f(at - line, (line + 0.5) * step);
}

// From a row's begin to the centre of one of its texels.
fn texelAt(dim: u32) -> f32 {
  return (f32(dim) + 0.5) * TEXEL;
}
