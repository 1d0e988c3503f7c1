// The variant's formulas: which keys a row sees, and what becomes of a score. Lines that end in
// `#slot` are printed from the checked formula trees; as they stand, every key is seen. Four rows
// and one key at a time, or one row and one key. `q` is a position among the keys.
//
// No short-circuit operators: the branches of many inlined tests are more than a software
// adapter's compiler survives.

struct FourRows {
  batch: i32,
  head: i32,
  q: vec4i,
}

fn firstPosition() -> i32 {
  return i32(params.keys) - i32(params.queries);
}

fn fourRows(batch: u32, head: u32, row: u32) -> FourRows {
  return FourRows(i32(batch), i32(head), vec4i(i32(row) + firstPosition()) + vec4i(0, 1, 2, 3));
}

fn areVisible(at: FourRows, key: u32) -> vec4<bool> {
  _ = &tableValues;
  let k = i32(key);
  let seen = vec4<bool>(true); // #slot mask4
  return seen & vec4<bool>(key < params.keys);
}

fn areModified(at: FourRows, key: u32, score: vec4f) -> vec4f {
  let k = i32(key);
  let modified = score; // #slot score4
  return modified;
}

struct OneRow {
  batch: i32,
  head: i32,
  q: i32,
}

fn oneRow(batch: u32, head: u32, row: u32) -> OneRow {
  return OneRow(i32(batch), i32(head), i32(row) + firstPosition());
}

fn isVisible(at: OneRow, key: u32) -> bool {
  _ = &tableValues;
  let k = i32(key);
  let seen = true; // #slot mask1
  return seen & (key < params.keys);
}

fn isModified(at: OneRow, key: u32, score: f32) -> f32 {
  let k = i32(key);
  let modified = score; // #slot score1
  return modified;
}

// One row and four keys.
fn areKeysVisible(at: OneRow, keys: vec4u) -> vec4<bool> {
  _ = &tableValues;
  let k = vec4i(keys);
  let seen = vec4<bool>(true); // #slot mask4
  return seen & (keys < vec4u(params.keys));
}

fn areKeysModified(at: OneRow, keys: vec4u, score: vec4f) -> vec4f {
  let k = vec4i(keys);
  let modified = score; // #slot score4
  return modified;
}

// Table values are [batch or 1, heads or 1, length]; an index beyond the ends reads the end.
fn readTable(table: u32, index: i32, batch: i32, head: i32) -> f32 {
  let entry = params.tables[table];
  let at = u32(clamp(index, 0, i32(entry.w) - 1));
  return tableValues[entry.x + u32(batch) * entry.y + u32(head) * entry.z + at];
}

// Division of whole numbers rounds down, and by zero gives 0.
fn floorDivide1(a: i32, b: i32) -> i32 {
  let divisor = select(b, 1, b == 0);
  let quotient = a / divisor;
  let isRoundedUp = (quotient * divisor != a) & ((a < 0) != (divisor < 0));
  return select(quotient - i32(isRoundedUp), 0, b == 0);
}

fn floorDivide4(a: vec4i, b: vec4i) -> vec4i {
  let divisor = select(b, vec4i(1), b == vec4i(0));
  let quotient = a / divisor;
  let isRoundedUp = (quotient * divisor != a) & ((a < vec4i(0)) != (divisor < vec4i(0)));
  return select(quotient - vec4i(isRoundedUp), vec4i(0), b == vec4i(0));
}

fn floorModulo1(a: i32, b: i32) -> i32 {
  return select(a - b * floorDivide1(a, b), 0, b == 0);
}

fn floorModulo4(a: vec4i, b: vec4i) -> vec4i {
  return select(a - b * floorDivide4(a, b), vec4i(0), b == vec4i(0));
}

// Infinities and NaN, which no constant expression may be.
fn quotient1(a: f32, b: f32) -> f32 {
  return a / b;
}

fn quotient4(a: vec4f, b: vec4f) -> vec4f {
  return a / b;
}

fn floorModuloF1(a: f32, b: f32) -> f32 {
  return select(a - b * floor(a / b), 0.0, b == 0.0);
}

fn floorModuloF4(a: vec4f, b: vec4f) -> vec4f {
  return select(a - b * floor(a / b), vec4f(), b == vec4f());
}
