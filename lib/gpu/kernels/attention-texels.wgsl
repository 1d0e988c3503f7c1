// `attention-rows.wgsl` over keys and values in textures: a software adapter reads a texel with one
// vector load, and a buffer number by number. keyTexels and valueTexels [batch x kvHeads x keys, DIMS];
// other tensors and the grid as there. Shared memory: 0 bytes.
enable subgroups;

const ROWS: u32 = 4;
// headSize / 4
const DIMS: u32 = 16;
const ROWS_PER_LINE: u32 = 512;
// Keys of a block, in fours.
const BLOCK_GROUPS: u32 = 8;
override WORKGROUP: u32 = 4;

// #include "params.wgsl"
// #include "masked.wgsl"
// #include "variant.wgsl"
// #include "texels.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var keyTexels: texture_2d<f32>;
@group(0) @binding(2) var valueTexels: texture_2d<f32>;
@group(0) @binding(3) var<storage, read> tableValues: array<f32>;
@group(0) @binding(4) var<storage, read> listRows: array<vec2u>;
@group(0) @binding(5) var<storage, read> entries: array<u32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var nearest: sampler;

// Where a row's first vec4 lies.
alias Place = vec2f;

fn placeOf(row: u32) -> Place {
  return rowAt(f32(i32(row)), lineStep(keyTexels)) + vec2f(0.5 * TEXEL, 0.0);
}

fn keyOf(place: Place, dim: f32) -> vec4f {
  return textureSampleLevel(keyTexels, nearest, vec2f(place.x + dim * TEXEL, place.y), 0.0);
}

fn valueOf(place: Place, dim: f32) -> vec4f {
  return textureSampleLevel(valueTexels, nearest, vec2f(place.x + dim * TEXEL, place.y), 0.0);
}

// #include "mask-formula.wgsl"
// #include "rows-main.wgsl"
