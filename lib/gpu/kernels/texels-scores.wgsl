// Inside a kernel's main: a quad's scores of 2 PAIRS keys that lie row by row from `firstRow` on, none
// past `lastRow`. A lane multiplies the vec4 that it holds of the queries, `q`; exchanges make of the
// lanes' parts of all keys one whole score per lane, `whole`, of the key `lane % (2 PAIRS)`.
// #for h PAIRS
// #for j 2
let at$h_$j = rowAt(min(firstRow + (2.0 * $h.0 + $j.0), lastRow), step);
// #for t SLICES
let k$h_$j_$t = textureSampleLevel(keyTexels, nearest, vec2f(at$h_$j.x + u$t, at$h_$j.y), 0.0);
// #for r ROWS
let dot$r_$h_$j_$t = dot(q$r_$t, k$h_$j_$t);
// #end
// #end
// #end
// #end
// #for r ROWS
// #for h PAIRS
// #for j 2
let part$r_$h_$j = 0.0
// #for t SLICES
  + dot$r_$h_$j_$t
// #end
;
// #end
let half$r_$h = select(part$r_$h_0, part$r_$h_1, isOdd)
  + quadSwapX(select(part$r_$h_1, part$r_$h_0, isOdd));
// #end
let own$r = 0.0
// #for h PAIRS
  + select(0.0, half$r_$h, isOwn$h)
// #end
;
let other$r = 0.0
// #for h PAIRS
  + select(0.0, half$r_$h, isOther$h)
// #end
;
let whole$r = own$r + quadSwapY(other$r);
// #end
