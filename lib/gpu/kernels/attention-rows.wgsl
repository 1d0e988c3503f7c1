// O = softmax(scale Q K^T + mask) V and LSE, by online softmax over a list of key blocks
// (Dao 2023, FlashAttention-2, algorithm 1), without shared memory or barriers.
//
// A lane owns ROWS whole query rows: their queries, maxima, sums and outputs never leave it. Of
// every four keys each lane of a quad loads one and the others come by quadSwap, so that lane l
// meets keys l, l ^ 1, l ^ 2 and l ^ 3 in that order and no reduction crosses lanes. All indices
// into private arrays are constants in the loop over keys: software adapters gather from an array
// under a running index. Shared memory: 0 bytes.
//
// query, output [batch, queryHeads, queries, DIMS]; key, value [batch, kvHeads, keys, DIMS];
// lse [batch, queryHeads, queries]; listRows [batch or 1, queryHeads or 1, queryBlocks + 1] holds
// (first entry, full entries); entries hold key blocks.
// Grid: query blocks of WORKGROUP x ROWS, batch x queryHeads.
enable subgroups;

const ROWS: u32 = 4;
// headSize / 4
const DIMS: u32 = 16;
// Keys of a block, in fours.
const BLOCK_GROUPS: u32 = 8;
override WORKGROUP: u32 = 4;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "variant.wgsl"
// #include "stored.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var<storage, read> key: array<Stored>;
@group(0) @binding(2) var<storage, read> value: array<Stored>;
@group(0) @binding(3) var<storage, read> tableValues: array<f32>;
@group(0) @binding(4) var<storage, read> listRows: array<vec2u>;
@group(0) @binding(5) var<storage, read> entries: array<u32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

// Where a row's first vec4 lies.
alias Place = u32;

fn placeOf(row: u32) -> Place {
  return row * DIMS;
}

fn keyOf(place: Place, dim: u32) -> vec4f {
  return loaded(key[place + dim]);
}

fn valueOf(place: Place, dim: u32) -> vec4f {
  return loaded(value[place + dim]);
}

// #include "mask-formula.wgsl"
// #include "rows-main.wgsl"
