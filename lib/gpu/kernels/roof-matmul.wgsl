// C = A B for square matrices of `size`, the fastest plain f32 matmul known here: 8 x 8 outputs
// per thread in registers, direct loads. A is stored transposed, so that both loads are rows.
// Its throughput is the compute roof of an adapter. No shared memory.
override SIZE: u32 = 512;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let pitch = SIZE / 4u;
  let column = id.x * 2u;
  let row = id.y * 2u;
  // #for g 2
  // #for h 2
  var s$g_$h = mat4x4f();
  // #end
  // #end
  for (var k = 0u; k < SIZE; k++) {
    // #for g 2
    let x$g = a[k * pitch + row + $gu];
    let y$g = b[k * pitch + column + $gu];
    // #end
    // #for g 2
    // #for h 2
    s$g_$h += mat4x4f(y$h * x$g.x, y$h * x$g.y, y$h * x$g.z, y$h * x$g.w);
    // #end
    // #end
  }
  // #for g 2
  // #for h 2
  // #for i 4
  c[((row + $gu) * 4u + $iu) * pitch + column + $hu] = s$g_$h[$i];
  // #end
  // #end
  // #end
}
