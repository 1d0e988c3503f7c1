// Keys and values as pairs of bf16 in words, the first in the lower bits: the upper halves of f32.
alias Stored = vec2u;

fn loaded(four: Stored) -> vec4f {
  let first = four << vec2u(16);
  let second = four & vec2u(0xffff0000);
  return bitcast<vec4f>(vec4u(first.x, second.x, first.y, second.y));
}
