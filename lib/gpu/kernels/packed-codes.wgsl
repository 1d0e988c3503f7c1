// Codes of packed tensors, 0 keys and 1 values: rows [heads, tokens] of whole words with lower channels
// in lower bits.

const BITS_0: u32 = 8;
const BITS_1: u32 = 8;
// vec4 of codes per word: 8 / BITS.
const VECTORS_0: u32 = 1;
const VECTORS_1: u32 = 1;

// #for s 2
// The vec4 `$v` of a word; above VECTORS they repeat and are not called.
// #for v 4
fn codes$s_$v(word: u32) -> vec4f {
  // Shifted left the codes above are gone; shifted right the sign is extended, or zeros.
  const FIRST = 4u * ($vu % VECTORS_$s);
  const LEFT = vec4u(32u - BITS_$s) - (vec4u(0u, 1u, 2u, 3u) + FIRST) * BITS_$s;
  const RIGHT = vec4u(32u - BITS_$s);
  if (SIGNED_$s == 1u) {
    return vec4f((vec4i(bitcast<i32>(word)) << LEFT) >> RIGHT);
  }
  return vec4f(vec4i((vec4u(word) << LEFT) >> RIGHT));
}
// #end
// #end
