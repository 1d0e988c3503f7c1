// Inside a kernel's main: what a lane of a quad reads and exchanges in `texels-scores.wgsl`.
let isOdd = (lane & 1u) == 1u;
// The pair of a lane's own key, and that of the lane it exchanges with.
// #for h PAIRS
let isOwn$h = (lane / 2u) % PAIRS == $hu;
let isOther$h = (1u - lane / 2u) % PAIRS == $hu;
// #end
let step = lineStep(keyTexels);
// #for t SLICES
let dim$t = 4u * $tu + lane;
let slice$t = min(dim$t, DIMS - 1u);
let u$t = texelAt(slice$t);
// #end
