// Inside a kernel's main: queries and sums of the rows `rowBase + row`.
// #for r ROWS
var m$r = LOWEST;
var l$r = 0.0;
// #for t SLICES
// Lanes past the head size read its last vec4 once more, and add nothing.
let q$r_$t = query[(rowBase + row$r) * DIMS + slice$t] * select(0.0, params.scale, dim$t < DIMS);
var acc$r_$t = vec4f();
// #end
// #end
