// Partial blocks by bits, a word per query row and 32 keys, which lie behind the list in `entries`:
// where a list row's words begin, from `params.wordRows` on, and the words [partial block, row].

fn wordsOf(listRow: u32) -> u32 {
  _ = &tableValues;
  return entries[params.wordRows + listRow];
}

fn wordAt(at: u32) -> u32 {
  return entries[at];
}

// One row and four keys, whose bits are 1 in `bits`.
fn areSeen(at: OneRow, keys: vec4u, word: u32, bits: vec4u) -> vec4<bool> {
  return (vec4u(word) & bits) != vec4u();
}
