// Inside a kernel's main, at its end: the rows' normalised outputs and LSE of a split.
// #for r ROWS
l$r += quadSwapX(l$r);
l$r += quadSwapY(l$r);
l$r *= f32(PAIRS) / 2.0;
if (split < params.splits && rowStart + $ru < rowsPerHead) {
  let isEmpty = m$r < MASKED_BELOW;
  let inverse = select(1.0 / l$r, 0.0, isEmpty);
  let at = (rowBase + row$r) * params.splits + split;
  // #for t SLICES
  if (dim$t < DIMS) {
    output[at * DIMS + dim$t] = acc$r_$t * inverse;
  }
  // #end
  if (lane == 0u) {
    lse[at] = select(m$r + log(l$r), LOWEST, isEmpty);
  }
}
// #end
