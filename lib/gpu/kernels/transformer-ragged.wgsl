// Softmax attention of few rows over ragged slots, split-KV (Dao et al., 2023, Flash-Decoding): a
// workgroup per SPLIT slots of a query head's row. Scores go through workgroup memory: lanes take a
// slot each, then a vector of the output each, with the slots dealt out among those left.
// Grid: splits, heads, rows.
const VECTORS: u32 = 4;
const SPLIT: u32 = 256;
// Vectors of the output at once, and how many lanes share the slots of each.
const WIDTH: u32 = 4;
const STRIPES: u32 = 16;

// #include "transformer-params.wgsl"

// [heads][rows][VECTORS], rotated
@group(0) @binding(0) var<storage, read> queries: array<vec4f>;
// [slots][VECTORS]
@group(0) @binding(1) var<storage, read> keys: array<vec4f>;
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
// [slots]: the text position, and the bits of what is added to the score
@group(0) @binding(3) var<storage, read> slots: array<vec2i>;
// See `transformer-tables.ts`.
@group(0) @binding(4) var<storage, read> tables: array<u32>;
// [rows][heads][splits][VECTORS], not yet divided by the sum
@group(0) @binding(5) var<storage, read_write> partial: array<vec4f>;
// [rows][heads][splits]: maximum and sum
@group(0) @binding(6) var<storage, read_write> statistics: array<vec2f>;
// [kvHeads][rows][group][the head's slots], where they are kept
@group(0) @binding(7) var<storage, read_write> scores: array<f32>;
@group(0) @binding(8) var<uniform> params: RaggedParams;

const NOTHING_SEEN = -1e38;
const LOWEST = -3e38;

var<workgroup> held: array<f32, SPLIT>;
var<workgroup> lanes: array<f32, 64>;
var<workgroup> eights: array<f32, 8>;
var<workgroup> vectors: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) place: vec3u,
) {
  let head = place.y;
  let row = place.z;
  let kvHead = head / params.group;
  let first = tables[params.at + kvHead];
  let count = tables[params.at + params.kvHeads + kvHead];
  let position = bitcast<i32>(tables[row]);
  let start = min(count, place.x * SPLIT);
  let length = min(count, start + SPLIT) - start;
  let query = (head * params.rows + row) * VECTORS;

  let member = head % params.group;
  let kept = tables[params.at + 2u * params.kvHeads + kvHead]
    + (row * params.group + member) * count + start;
  var highest = f32(LOWEST);
  for (var i = thread; i < length; i += 64u) {
    let slot = first + start + i;
    let about = slots[slot];
    var dots = 0.0;
    for (var d = 0u; d < VECTORS; d++) {
      dots += dot(queries[query + d], keys[slot * VECTORS + d]);
    }
    let score = select(LOWEST, dots * params.scale + bitcast<f32>(about.y), about.x <= position);
    held[i] = score;
    highest = max(highest, score);
    if (params.keeps == 1u) {
      scores[kept + i] = score;
    }
  }
  lanes[thread] = highest;
  workgroupBarrier();
  // Two barriers where halving takes six, which software adapters pay dearly for.
  if (thread < 8u) {
    var eight = lanes[thread * 8u];
    for (var i = 1u; i < 8u; i++) {
      eight = max(eight, lanes[thread * 8u + i]);
    }
    eights[thread] = eight;
  }
  workgroupBarrier();
  var maximum = eights[0];
  for (var i = 1u; i < 8u; i++) {
    maximum = max(maximum, eights[i]);
  }
  var sum = 0.0;
  for (var i = thread; i < length; i += 64u) {
    let score = held[i];
    let weight = select(0.0, exp(score - maximum), score > NOTHING_SEEN);
    held[i] = weight;
    sum += weight;
  }
  // The output needs every lane's weights, and the sum comes along.
  lanes[thread] = sum;
  workgroupBarrier();
  let split = (row * params.heads + head) * params.splits + place.x;
  if (thread == 0u) {
    var total = 0.0;
    for (var i = 0u; i < 64u; i++) {
      total += lanes[i];
    }
    statistics[split] = vec2f(maximum, total);
  }
  let column = thread % WIDTH;
  let stripe = thread / WIDTH;
  for (var vector = 0u; vector < VECTORS; vector += WIDTH) {
    let d = vector + column;
    var s = vec4f();
    if ((stripe < STRIPES) & (d < VECTORS)) {
      for (var i = stripe; i < length; i += STRIPES) {
        s += held[i] * values[(first + start + i) * VECTORS + d];
      }
    }
    vectors[thread] = s;
    workgroupBarrier();
    if ((thread < WIDTH) & (d < VECTORS)) {
      var total = vec4f();
      for (var other = 0u; other < STRIPES; other++) {
        total += vectors[other * WIDTH + thread];
      }
      partial[split * VECTORS + d] = total;
    }
    workgroupBarrier();
  }
}
