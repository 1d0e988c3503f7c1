// The kernel of `attention-rows.wgsl` and `attention-texels.wgsl`, which say where keys and values lie.
//
// Loops end with `break if`: a software adapter runs the body of a loop that tests at its start once
// more, with every lane masked. It also runs both sides of every `if`, so that full blocks and those
// that the mask cuts have a loop each.

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
  let laneBits = vec4u(1u) << lanes;
  let block = params.blockStart + group.x;
  let batchHead = params.headStart + group.y;
  let batch = batchHead / params.queryHeads;
  let head = batchHead % params.queryHeads;
  let kvHead = head / (params.queryHeads / params.kvHeads);
  let headRow = batchHead * params.queries;
  let keyRow = (batch * params.kvHeads + kvHead) * params.keys;
  let lastKey = params.keys - 1u;
  let rowInBlock = (thread / 4u) * (4u * ROWS) + lane;
  let firstRow = block * (WORKGROUP * ROWS) + rowInBlock;

  // #for r ROWS
  let row$r = firstRow + 4u * $ru;
  let rowAt$r = (headRow + min(row$r, params.queries - 1u)) * DIMS;
  let at$r = oneRow(batch, head, row$r);
  var m$r = LOWEST;
  var l$r = 0.0;
  var q$r: array<vec4f, DIMS>;
  var acc$r: array<vec4f, DIMS>;
  // #end
  var dim = 0u;
  loop {
    // #for r ROWS
    q$r[dim] = query[rowAt$r + dim] * params.scale;
    // #end
    continuing {
      dim += 1u;
      break if dim >= DIMS;
    }
  }

  let listRow = batch * params.listStride + head * params.listHeadStride + block;
  let first = listRows[listRow].x;
  let firstPartial = first + listRows[listRow].y;
  let words = wordsOf(listRow) + rowInBlock;
  // #for m 2
  var e$m = select(first, firstPartial, $mu == 1u);
  let end$m = select(firstPartial, listRows[listRow + 1u].x, $mu == 1u);
  if (e$m < end$m) {
    loop {
      let blockStart = entries[e$m] * (4u * BLOCK_GROUPS);
      // #for w $m
      let blockWords = words + (e$m - firstPartial) * (WORKGROUP * ROWS);
      // #for r ROWS
      let word$r = wordAt(blockWords + 4u * $ru);
      // #end
      // #end
      var bits = laneBits;
      var c = 0u;
      loop {
        let keyStart = blockStart + 4u * c;
        let keys = vec4u(keyStart) + lanes;
        let keyAt = placeOf(keyRow + min(keys.x, lastKey));
        // #for d DIMS
        let k$d = rotated(keyOf(keyAt, $d));
        // #end
        // #for r ROWS
        let raw$r = vec4f()
        // #for d DIMS
          + q$r[$d] * k$d
        // #end
        ;
        let seen$r_0 = areKeysModified(at$r, keys, raw$r);
        // #for w $m
        let seen$r_1 = select(vec4f(LOWEST), seen$r_0, areSeen(at$r, keys, word$r, bits));
        // #end
        let s$r = seen$r_$m;
        // #end
        // #for d DIMS
        let v$d = rotated(valueOf(keyAt, $d));
        // #end
        // Softmax and output of one row after the other, so that few values are alive at once.
        // #for r ROWS
        {
          let next = max(m$r, max(max(s$r.x, s$r.y), max(s$r.z, s$r.w)));
          let decay = exp(m$r - next);
          m$r = next;
          let p = exp(s$r - next);
          l$r = l$r * decay + dot(p, vec4f(1.0));
          // #for d DIMS
          acc$r[$d] = acc$r[$d] * decay + v$d * p;
          // #end
        }
        // #end
        continuing {
          bits *= 16u;
          c += 1u;
          break if c >= BLOCK_GROUPS;
        }
      }
      continuing {
        e$m += 1u;
        break if e$m >= end$m;
      }
    }
  }
  // #end

  // #for r ROWS
  let isEmpty$r = m$r < MASKED_BELOW;
  let inverse$r = select(1.0 / l$r, 0.0, isEmpty$r);
  if (row$r < params.queries) {
    lse[headRow + row$r] = select(m$r + log(l$r), LOWEST, isEmpty$r);
    var d = 0u;
    loop {
      output[rowAt$r + d] = acc$r[d] * inverse$r;
      continuing {
        d += 1u;
        break if d >= DIMS;
      }
    }
  }
  // #end
}
