// Joins the chunks of a Legendre memory: S <- S (a^count)^T + E, chunk after chunk. Every local E
// becomes the state before its chunk; `last` carries the state from dispatch to dispatch and holds
// the one after the last token in the end. The first chunk starts from zeros.
//
// powers [chunkTokens, order, order], a^1 first; local [chunks, rows, valueSize, order];
// last [rows, valueSize, order]. A workgroup per value channel of a row, which shares its coefficients.
// Grid: valueSize, rows.
override WORKGROUP: u32 = 64;
const MAX_ORDER: u32 = 128;

// #include "legendre-params.wgsl"

@group(0) @binding(0) var<storage, read> powers: array<f32>;
@group(0) @binding(1) var<storage, read_write> local: array<f32>;
@group(0) @binding(2) var<storage, read_write> last: array<f32>;
@group(0) @binding(3) var<uniform> params: LegendreParams;

var<workgroup> memory: array<f32, MAX_ORDER>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let order = params.order;
  let channel = group.y * params.valueSize + group.x;
  let channels = groups.y * params.valueSize;
  for (var n = lane; n < order; n += WORKGROUP) {
    memory[n] = select(last[channel * order + n], 0.0, params.chunkStart == 0u);
  }
  workgroupBarrier();
  for (var chunk = params.chunkStart; chunk < params.chunkEnd; chunk++) {
    let count = min(params.chunkTokens, params.tokens - chunk * params.chunkTokens);
    let power = (count - 1u) * order * order;
    let at = (chunk * channels + channel) * order;
    // Lanes hold at most MAX_ORDER / WORKGROUP coefficients each.
    var next = array<f32, 2>(0.0, 0.0);
    for (var i = 0u; i < 2u; i++) {
      let n = lane + i * WORKGROUP;
      if (n < order) {
        var sum = local[at + n];
        for (var c = 0u; c < order; c++) {
          sum += powers[power + n * order + c] * memory[c];
        }
        next[i] = sum;
        local[at + n] = memory[n];
      }
    }
    workgroupBarrier();
    for (var i = 0u; i < 2u; i++) {
      let n = lane + i * WORKGROUP;
      if (n < order) {
        memory[n] = next[i];
      }
    }
    workgroupBarrier();
  }
  for (var n = lane; n < order; n += WORKGROUP) {
    last[channel * order + n] = memory[n];
  }
}
