// `recurrent-quad.wgsl` without subgroups or chunks: a lane owns one value column of one head with all its
// key channels, so that nothing is exchanged. Shared memory: 0 bytes, no barriers.
//
// Tensors, constants and params as there. Grid: ceil(valueVectors / (WORKGROUP / 4)), rows.

const KEY_VECTORS: u32 = 16;
const DECAYS_SCALAR: u32 = 0;
const DECAYS_CHANNELS: u32 = 0;
const DELTA: u32 = 0;
const NORMALISES: u32 = 0;
const WRITES_OUTPUT: u32 = 1;
override WORKGROUP: u32 = 4;

// #include "recurrent-params.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var<storage, read> key: array<vec4f>;
@group(0) @binding(2) var<storage, read> value: array<f32>;
// #for x DECAYS_SCALAR
@group(0) @binding(3) var<storage, read> decay: array<f32>;
// #end
// #for x DECAYS_CHANNELS
@group(0) @binding(3) var<storage, read> decay: array<vec4f>;
// #end
@group(0) @binding(4) var<storage, read> writeStrength: array<f32>;
@group(0) @binding(5) var<storage, read> stateBefore: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> output: array<f32>;
@group(0) @binding(7) var<storage, read_write> stateAfter: array<vec4f>;
@group(0) @binding(8) var<uniform> params: RecurrentParams;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.y;
  let columns = params.valueVectors * 4u;
  let column = group.x * WORKGROUP + thread;
  if (column >= columns) {
    return;
  }
  let stateAt = (row * params.stateRows + column) * KEY_VECTORS;
  // #for x DECAYS_SCALAR
  let decayAt = (row % params.decayRows) * params.decayRowStride;
  // #end
  // #for x NORMALISES
  let normaliserAt = (row * params.stateRows + params.stateRows - 1u) * KEY_VECTORS;
  // #end

  // #for i KEY_VECTORS
  var s$i = stateBefore[stateAt + $iu];
  // #for x NORMALISES
  var z$i = stateBefore[normaliserAt + $iu];
  // #end
  // #end

  for (var t = params.tokenStart; t < params.tokenEnd; t++) {
    let token = row * params.tokens + t;
    let keyAt = token * KEY_VECTORS;
    var u = value[token * columns + column];
    // #for x DECAYS_SCALAR
    let a = decay[decayAt + t * params.decayTokenStride];
    // #end
    // #for x DELTA
    var held = vec4f();
    // #for i KEY_VECTORS
    let k$i = key[keyAt + $iu];
    held += s$i * k$i;
    // #end
    var sumHeld = dot(held, vec4f(1.0));
    // #for y DECAYS_SCALAR
    sumHeld *= a;
    // #end
    u = writeStrength[token] * (u - sumHeld);
    // #end

    var o = vec4f();
    // #for x NORMALISES
    var weight = vec4f();
    // #end
    // #for i KEY_VECTORS
    {
      let k = key[keyAt + $iu];
      // #for x DECAYS_SCALAR
      s$i *= a;
      // #for y NORMALISES
      z$i *= a;
      // #end
      // #end
      // #for x DECAYS_CHANNELS
      s$i *= decay[keyAt + $iu];
      // #for y NORMALISES
      z$i *= decay[keyAt + $iu];
      // #end
      // #end
      s$i += u * k;
      // #for x WRITES_OUTPUT
      let q = query[keyAt + $iu];
      o += s$i * q;
      // #end
      // #for x NORMALISES
      z$i += k;
      // #for y WRITES_OUTPUT
      weight += z$i * q;
      // #end
      // #end
    }
    // #end
    // #for x WRITES_OUTPUT
    var sumOut = dot(o, vec4f(1.0));
    // #for y NORMALISES
    let sum = dot(weight, vec4f(1.0));
    sumOut = select(sumOut / sum, 0.0, sum < SMALLEST_NORMALISER);
    // #end
    output[token * columns + column] = sumOut;
    // #end
  }

  // #for i KEY_VECTORS
  stateAfter[stateAt + $iu] = s$i;
  // #end
  // #for x NORMALISES
  if (column == 0u) {
    // #for i KEY_VECTORS
    stateAfter[normaliserAt + $iu] = z$i;
    // #end
  }
  // #end
}
