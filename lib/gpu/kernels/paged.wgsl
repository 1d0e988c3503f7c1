// Bindings of the paged kernels over buffers; see `decode-paged.wgsl`.
// #include "stored.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var<storage, read> keyPool: array<Stored>;
@group(0) @binding(2) var<storage, read> valuePool: array<Stored>;
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read> lengths: array<u32>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

// #include "paged-rows.wgsl"
