// Where a token of the paged kernels lies, and which keys a query sees; see `decode-paged.wgsl`.

fn lengthOf(batch: u32) -> u32 {
  return lengths[batch];
}

// First row of a page of a head in the pools.
fn pageRow(batch: u32, kvHead: u32, page: u32) -> u32 {
  let id = table[batch * (params.keys / PAGE_TOKENS) + page];
  return (id * params.kvHeads + kvHead) * PAGE_TOKENS;
}

fn tokenRow(batch: u32, kvHead: u32, token: u32) -> u32 {
  return pageRow(batch, kvHead, token / PAGE_TOKENS) + token % PAGE_TOKENS;
}

// Keys that a query of an entry sees: all, or those up to its position.
fn seenKeys(length: u32, index: u32) -> u32 {
  if (CAUSAL == 0u) {
    return length;
  }
  return u32(max(0, i32(length) - i32(params.queries) + i32(index) + 1));
}
