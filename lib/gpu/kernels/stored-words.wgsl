// Keys and values as pairs of f16 in words, the first in the lower bits: needs no feature.
alias Stored = vec2u;

fn loaded(four: Stored) -> vec4f {
  return vec4f(unpack2x16float(four.x), unpack2x16float(four.y));
}
