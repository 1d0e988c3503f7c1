// Stands for minus infinity, which WGSL cannot write. A row whose maximum is still below
// MASKED_BELOW has seen no key: its output is 0 and its LSE becomes -Infinity on the CPU side.
const LOWEST: f32 = -3.0e38;
const MASKED_BELOW: f32 = -1.0e38;

// A row sees the keys of at most two ranges, [x, y) and [z, w). No short-circuit operators: the
// branches of many inlined tests are more than a software adapter's compiler survives.
fn isVisible(range: vec4u, key: u32) -> bool {
  return ((key >= range.x) & (key < range.y)) | ((key >= range.z) & (key < range.w));
}

// The same for one key and four rows; column j of the ranges belongs to row j.
struct FourRanges {
  firstStart: vec4u,
  firstEnd: vec4u,
  secondStart: vec4u,
  secondEnd: vec4u,
}

fn fourRanges(r0: vec4u, r1: vec4u, r2: vec4u, r3: vec4u) -> FourRanges {
  return FourRanges(
    vec4u(r0.x, r1.x, r2.x, r3.x),
    vec4u(r0.y, r1.y, r2.y, r3.y),
    vec4u(r0.z, r1.z, r2.z, r3.z),
    vec4u(r0.w, r1.w, r2.w, r3.w),
  );
}

fn areVisible(rows: FourRanges, key: u32) -> vec4<bool> {
  let at = vec4u(key);
  return ((at >= rows.firstStart) & (at < rows.firstEnd)) |
    ((at >= rows.secondStart) & (at < rows.secondEnd));
}
