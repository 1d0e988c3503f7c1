// Copies vec4f, four per thread a grid apart: reads plus writes are the memory roof of an adapter.
override WORKGROUP: u32 = 256;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quarter = arrayLength(&source) / 4u;
  if (id.x >= quarter) {
    return;
  }
  for (var i = 0u; i < 4u; i++) {
    destination[id.x + i * quarter] = source[id.x + i * quarter];
  }
}
