// Inside a kernel's main, after `texels-scores.wgsl`: the online softmax of the masked scores `s`, one
// per lane, and the rows' outputs `acc`, of which a lane holds every fourth vec4.
// #for r ROWS
let pair$r = max(s$r, quadSwapX(s$r));
let next$r = max(m$r, max(pair$r, quadSwapY(pair$r)));
let decay$r = exp(m$r - next$r);
let p$r = exp(s$r - next$r);
m$r = next$r;
l$r = l$r * decay$r + p$r;
// #for h PAIRS
// #for j 2
let w$r_$h_$j = quadBroadcast(p$r, 2u * $hu + $ju);
// #end
// #end
// #end
// #for t SLICES
// #for h PAIRS
// #for j 2
let v$t_$h_$j = textureSampleLevel(valueTexels, nearest, vec2f(at$h_$j.x + u$t, at$h_$j.y), 0.0);
// #end
// #end
// #for r ROWS
acc$r_$t = acc$r_$t * decay$r
// #for h PAIRS
// #for j 2
  + v$t_$h_$j * w$r_$h_$j
// #end
// #end
;
// #end
// #end
