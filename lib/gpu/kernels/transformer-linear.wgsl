// out[rows, outputs] (+)= x[rows, inputs] times weight[outputs, inputs] transposed, plus bias: tiles of
// 64 rows x 64 outputs, 16 inputs at a time through workgroup memory, 4 x 4 sums per thread.
// Grid: ceil(outputs / 64), ceil(rows / 64).

// #include "transformer-params.wgsl"

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: LinearParams;

// [16 inputs][64]
var<workgroup> xTile: array<f32, 1024>;
var<workgroup> weightTile: array<f32, 1024>;

@compute @workgroup_size(16, 16)
fn main(
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
) {
  let firstRow = group.y * 64u;
  let firstOutput = group.x * 64u;
  // What this thread loads of a tile: one input of four rows and of four outputs.
  let input = thread % 16u;
  let loaded = thread / 16u;
  // #for i 4
  var s$i = vec4f();
  // #end
  for (var start = 0u; start < params.inputs; start += 16u) {
    let at = start + input;
    let isInput = at < params.inputs;
    // #for i 4
    {
      let place = loaded + 16u * $iu;
      let row = firstRow + place;
      let output = firstOutput + place;
      var xValue = 0.0;
      var weightValue = 0.0;
      if (isInput & (row < params.rows)) {
        xValue = x[row * params.inputs + at];
      }
      if (isInput & (output < params.outputs)) {
        weightValue = weight[output * params.inputs + at];
      }
      xTile[input * 64u + place] = xValue;
      weightTile[input * 64u + place] = weightValue;
    }
    // #end
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let w = k * 64u + local.x * 4u;
      let v = k * 64u + local.y * 4u;
      let weights = vec4f(weightTile[w], weightTile[w + 1u], weightTile[w + 2u], weightTile[w + 3u]);
      // #for i 4
      s$i += xTile[v + $iu] * weights;
      // #end
    }
    workgroupBarrier();
  }
  // #for i 4
  {
    let row = firstRow + local.y * 4u + $iu;
    if (row < params.rows) {
      for (var j = 0u; j < 4u; j++) {
        let output = firstOutput + local.x * 4u + j;
        if (output < params.outputs) {
          let to = row * params.outputs + output;
          let sum = s$i[j] + bias[output];
          if (params.adds == 1u) {
            out[to] = out[to] + sum;
          } else {
            out[to] = sum;
          }
        }
      }
    }
  }
  // #end
}
