// Partial blocks by the formula of the mask, element by element; `mask-words.wgsl` takes its place where
// the bits of such blocks are made with the list.

fn wordsOf(listRow: u32) -> u32 {
  return 0u;
}

fn wordAt(at: u32) -> u32 {
  return 0u;
}

// One row and four keys.
fn areSeen(at: OneRow, keys: vec4u, word: u32, bits: vec4u) -> vec4<bool> {
  return areKeysVisible(at, keys);
}
