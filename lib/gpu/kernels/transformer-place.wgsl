// Rows into the slots after those of each KV head, ragged: keys rotated to the RoPE indices of the
// layer's table, values as they are, both rounded first to what the cache stores. A thread per pair.
// Grid: rows x KV heads x pairs, folded into two dimensions.
override WORKGROUP: u32 = 64;

// #include "transformer-params.wgsl"

// [rows][kvHeads][headSize]
@group(0) @binding(0) var<storage, read> keys: array<f32>;
@group(0) @binding(1) var<storage, read> values: array<f32>;
// [indices][pairs]: cosine and sine
@group(0) @binding(2) var<storage, read> rotations: array<vec2f>;
// See `transformer-tables.ts`.
@group(0) @binding(3) var<storage, read> tables: array<u32>;
// [slots][stride]
@group(0) @binding(4) var<storage, read_write> slotKeys: array<f32>;
@group(0) @binding(5) var<storage, read_write> slotValues: array<f32>;
// [slots]: the text position, and the bits of what is added to the score
@group(0) @binding(6) var<storage, read_write> slots: array<vec2i>;
@group(0) @binding(7) var<uniform> params: PlaceParams;

/// The nearest binary16 number, ties to even; those past its range do not come here.
fn half(value: f32) -> f32 {
  let bits = bitcast<u32>(value);
  let rounded = (bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u;
  // Below 2^-14 steps are of 2^-24.
  let small = round(value * 16777216.0) / 16777216.0;
  return select(bitcast<f32>(rounded), small, abs(value) < 0.00006103515625);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let pairs = params.headSize / 2u;
  let at = id.y * groups.x * WORKGROUP + id.x;
  let pair = at % pairs;
  let kvHead = at / pairs % params.kvHeads;
  let row = at / pairs / params.kvHeads;
  if (row >= params.rows) {
    return;
  }
  let index = tables[params.at + 3u * params.kvHeads + kvHead * params.rows + row];
  let count = tables[params.at + params.kvHeads + kvHead];
  let slot = tables[params.at + kvHead] + count - params.rows + row;
  let rotation = rotations[index * pairs + pair];
  let source = (row * params.kvHeads + kvHead) * params.headSize + pair;
  let to = slot * params.stride + pair;
  var a = keys[source];
  var b = keys[source + pairs];
  var v = values[source];
  var w = values[source + pairs];
  if (params.halves == 1u) {
    a = half(a);
    b = half(b);
    v = half(v);
    w = half(w);
  }
  slotKeys[to] = a * rotation.x - b * rotation.y;
  slotKeys[to + pairs] = a * rotation.y + b * rotation.x;
  slotValues[to] = v;
  slotValues[to + pairs] = w;
  if (pair == 0u) {
    slots[slot] = vec2i(bitcast<i32>(tables[row]), 0);
  }
}
