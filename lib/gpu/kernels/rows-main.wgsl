// The kernel of `attention-rows.wgsl` and `attention-texels.wgsl`, which say where keys and values lie.

// Columns: the vectors of lanes l, l ^ 1, l ^ 2, l ^ 3.
fn rotated(own: vec4f) -> mat4x4f {
  return mat4x4f(own, quadSwapX(own), quadSwapY(own), quadSwapDiagonal(own));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) subgroupThread: u32,
) {
  let lane = subgroupThread & 3u;
  let lanes = vec4u(lane) ^ vec4u(0u, 1u, 2u, 3u);
  let block = params.blockStart + group.x;
  let batchHead = params.headStart + group.y;
  let batch = batchHead / params.queryHeads;
  let head = batchHead % params.queryHeads;
  let kvHead = head / (params.queryHeads / params.kvHeads);
  let headRow = batchHead * params.queries;
  let keyRow = (batch * params.kvHeads + kvHead) * params.keys;
  let lastKey = params.keys - 1u;
  let firstRow = (block * (WORKGROUP / 4u) + thread / 4u) * (4u * ROWS) + lane;

  // #for r ROWS
  let row$r = firstRow + 4u * $ru;
  let rowAt$r = (headRow + min(row$r, params.queries - 1u)) * DIMS;
  let at$r = oneRow(batch, head, row$r);
  var m$r = LOWEST;
  var l$r = 0.0;
  var q$r: array<vec4f, DIMS>;
  var acc$r: array<vec4f, DIMS>;
  // #end
  for (var d = 0u; d < DIMS; d++) {
    // #for r ROWS
    q$r[d] = query[rowAt$r + d] * params.scale;
    // #end
  }

  let listRow = batch * params.listStride + head * params.listHeadStride + block;
  let first = listRows[listRow].x;
  let firstPartial = first + listRows[listRow].y;
  let end = listRows[listRow + 1u].x;
  for (var e = first; e < end; e++) {
    let blockStart = entries[e] * (4u * BLOCK_GROUPS);
    let isMasked = e >= firstPartial || blockStart + 4u * BLOCK_GROUPS > params.keys;
    for (var c = 0u; c < BLOCK_GROUPS; c += KEY_GROUPS) {
      let keyStart = blockStart + 4u * c;
      // #for g KEY_GROUPS
      let keys$g = vec4u(keyStart + 4u * $gu) + lanes;
      let keyAt$g = placeOf(keyRow + min(keys$g.x, lastKey));
      // #for d DIMS
      let k$g_$d = rotated(keyOf(keyAt$g, $d));
      // #end
      // #end
      // #for r ROWS
      // #for g KEY_GROUPS
      var s$r_$g = vec4f()
      // #for d DIMS
        + q$r[$d] * k$g_$d
      // #end
      ;
      s$r_$g = areKeysModified(at$r, keys$g, s$r_$g);
      // #end
      // #end
      if (isMasked) {
        // #for r ROWS
        // #for g KEY_GROUPS
        s$r_$g = select(vec4f(LOWEST), s$r_$g, areKeysVisible(at$r, keys$g));
        // #end
        // #end
      }
      // #for g KEY_GROUPS
      // #for d DIMS
      let v$g_$d = rotated(valueOf(keyAt$g, $d));
      // #end
      // #end
      // Softmax and output of one row after the other, so that few values are alive at once.
      // #for r ROWS
      {
        var most = s$r_0;
        // #for g KEY_GROUPS
        most = max(most, s$r_$g);
        // #end
        let next = max(m$r, max(max(most.x, most.y), max(most.z, most.w)));
        let decay = exp(m$r - next);
        m$r = next;
        // #for g KEY_GROUPS
        let p$g = exp(s$r_$g - next);
        // #end
        l$r = l$r * decay
        // #for g KEY_GROUPS
          + dot(p$g, vec4f(1.0))
        // #end
        ;
        // #for d DIMS
        acc$r[$d] = acc$r[$d] * decay
        // #for g KEY_GROUPS
          + v$g_$d * p$g
        // #end
        ;
        // #end
      }
      // #end
    }
  }

  // #for r ROWS
  if (row$r < params.queries) {
    let isEmpty = m$r < MASKED_BELOW;
    let inverse = select(1.0 / l$r, 0.0, isEmpty);
    for (var d = 0u; d < DIMS; d++) {
      output[rowAt$r + d] = acc$r[d] * inverse;
    }
    lse[headRow + row$r] = select(m$r + log(l$r), LOWEST, isEmpty);
  }
  // #end
}
