// One chunk's step of a Legendre memory: S' = S (a^count)^T + E, with S the state before the chunk.
//
// powers [chunkTokens, order, order], a^1 first; local [chunks, rows, valueSize, order];
// states [chunks, rows, valueSize, order], the state before each chunk, zeros before the first;
// last [rows, valueSize, order], the state after the last chunk.
// One thread per element, a dispatch per chunk; no shared memory: barriers cost a software adapter
// more than the dispatches do. Grid: ceil(valueSize order / WORKGROUP), rows.
override WORKGROUP: u32 = 64;

// #include "legendre-params.wgsl"

@group(0) @binding(0) var<storage, read> powers: array<f32>;
@group(0) @binding(1) var<storage, read> local: array<f32>;
@group(0) @binding(2) var<storage, read_write> states: array<f32>;
@group(0) @binding(3) var<storage, read_write> last: array<f32>;
@group(0) @binding(4) var<uniform> params: LegendreParams;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let order = params.order;
  let size = params.valueSize * order;
  if (id.x >= size) {
    return;
  }
  let n = id.x % order;
  let chunk = params.chunkStart;
  let count = min(params.chunkTokens, params.tokens - chunk * params.chunkTokens);
  let power = ((count - 1u) * order + n) * order;
  let row = (chunk * groups.y + id.y) * size;
  let channel = row + id.x - n;
  var sum = local[row + id.x];
  for (var c = 0u; c < order; c++) {
    sum += powers[power + c] * states[channel + c];
  }
  if (chunk + 1u == params.chunks) {
    last[id.y * size + id.x] = sum;
  } else {
    states[row + groups.y * size + id.x] = sum;
  }
}
