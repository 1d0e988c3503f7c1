// One head's probabilities p = exp(scale q.k - lse), reduced to rows x columns cells:
// the largest and the mean over the unmasked elements of each cell. Cell (r, c) covers queries
// [floor(r Q / rows), floor((r + 1) Q / rows)), and keys likewise.
//
// query [batch, queryHeads, queries, headVectors], key [batch, kvHeads, keys, headVectors],
// lse [batch, queryHeads, queries];
// cells [rows, columns] holds (max, mean), (-1, -1) where every element is masked.
// One thread per cell, 8 x 8 threads; four keys per step. No shared memory.
struct MapParams {
  rows: u32,
  columns: u32,
  batch: u32,
  head: u32,
  // First row and column of cells of this dispatch.
  rowStart: u32,
  columnStart: u32,
}

// #include "params.wgsl"
// #include "variant.wgsl"
// #include "stored.wgsl"

@group(0) @binding(0) var<storage, read> query: array<vec4f>;
@group(0) @binding(1) var<storage, read> key: array<Stored>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read> tableValues: array<f32>;
@group(0) @binding(4) var<storage, read_write> cells: array<vec2f>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> map: MapParams;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = map.columnStart + id.x;
  let cellRow = map.rowStart + id.y;
  if (column >= map.columns || cellRow >= map.rows) {
    return;
  }
  let width = params.headVectors;
  let headRow = (map.batch * params.queryHeads + map.head) * params.queries;
  let kvHead = map.head / (params.queryHeads / params.kvHeads);
  let keyRow = (map.batch * params.kvHeads + kvHead) * params.keys;
  let keyStart = column * params.keys / map.columns;
  let keyEnd = (column + 1u) * params.keys / map.columns;
  let rowEnd = (cellRow + 1u) * params.queries / map.rows;

  var largest = -1.0;
  var sum = 0.0;
  var count = 0.0;
  for (var row = cellRow * params.queries / map.rows; row < rowEnd; row++) {
    let at = oneRow(map.batch, map.head, row);
    let queryAt = (headRow + row) * width;
    for (var k = keyStart; k < keyEnd; k += 4u) {
      // #for c 4
      let seen$c = (k + $cu < keyEnd) & isVisible(at, k + $cu);
      // #end
      if (!(seen0 | seen1 | seen2 | seen3)) {
        continue;
      }
      // #for c 4
      let keyAt$c = (keyRow + min(k + $cu, keyEnd - 1u)) * width;
      // #end
      var s = vec4f();
      for (var d = 0u; d < width; d++) {
        let q = query[queryAt + d];
        // #for c 4
        s[$c] += dot(q, loaded(key[keyAt$c + d]));
        // #end
      }
      // #for c 4
      if (seen$c) {
        let p = exp(isModified(at, k + $cu, s[$c] * params.scale) - lse[headRow + row]);
        largest = max(largest, p);
        sum += p;
        count += 1.0;
      }
      // #end
    }
  }
  cells[cellRow * map.columns + column] = select(vec2f(-1.0), vec2f(largest, sum / count), count > 0.0);
}
